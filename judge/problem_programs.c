#include "judge/names.h"
#include "judge/package.h"
#include "judge/problem_parts.h"
#include "judge/script.h"
#include "proto/err.h"
#include "proto/scope.h"

#define VALIDATORS_MAX 16

int problem_source_add(const struct problem *p, const char *path, struct problem_file **files,
		       size_t *n, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	struct problem_file *grown;

	if (names_source(name, e) < 0)
		return err_wrap(e, "%.100s", path);
	if (*n == PROBLEM_SOURCES_MAX)
		return err_set(e, "%.100s: more than %d files in one program", path,
			       PROBLEM_SOURCES_MAX);
	grown = reallocarray(*files, *n + 1, sizeof(*grown));
	if (!grown)
		return err_sys(e, "%s", path);
	*files = grown;
	grown[*n] = (struct problem_file){0};
	return problem_source_read(p, path, name, &grown[(*n)++], e);
}

static int add_listed(const struct problem *p, const char *folder,
		      const struct package_entry *entry, struct problem_file **files, size_t *n,
		      struct err *e)
{
	AUTO_FREE char *path = NULL;

	if (asprintf(&path, "%s/%s", folder, entry->name) < 0) {
		path = NULL;
		return err_sys(e, "%s", folder);
	}
	if (entry->folder)
		return err_set(e, "%s: folders inside a program are not supported yet", path);
	if (script_is(entry->name) && strncmp(folder, "submissions/", 12) == 0)
		return err_set(e,
			       "%s: only validators may have a program of this name, expected a "
			       "submission as a contestant would send it",
			       path);
	return problem_source_add(p, path, files, n, e);
}

/* All files of a folder as one program. */
static int read_program(const struct problem *p, const char *folder, struct problem_file **files,
			size_t *n, struct err *e)
{
	struct package_entry *list;
	size_t count;
	int rc = package_list(p->dir, folder, &list, &count, e);

	if (rc < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = add_listed(p, folder, &list[i], files, n, e);
	package_list_free(list, count);
	if (rc == 0 && *n == 0)
		return err_set(e, "%s: there is no program in it", folder);
	return rc;
}

int problem_read_program(const struct problem *p, const char *folder,
			 const struct package_entry *entry, struct problem_file **files, size_t *n,
			 struct err *e)
{
	AUTO_FREE char *path = NULL;

	if (asprintf(&path, "%s/%s", folder, entry->name) < 0) {
		path = NULL;
		return err_sys(e, "%s", folder);
	}
	return entry->folder ? read_program(p, path, files, n, e)
			     : problem_source_add(p, path, files, n, e);
}

static int read_one_validator(struct problem *p, const char *folder,
			      const struct package_entry *entry, struct problem_program *program,
			      struct err *e)
{
	return problem_read_program(p, folder, entry, &program->sources, &program->nsources, e);
}

/* Each entry of output_validators/ is one; where they talk with the program there can be only one. */
static int read_validators(struct problem *p, const struct package_entry *list, size_t n,
			   const char *folder, struct err *e)
{
	if (n > VALIDATORS_MAX)
		return err_set(e, "%s: more than %d validators", folder, VALIDATORS_MAX);
	if (n > 1 && p->kind & (PROBLEM_INTERACTIVE | PROBLEM_MULTI_PASS | PROBLEM_SCORING))
		return err_set(
			e,
			"%s: holds %zu validators, expected one (the files of one belong into a "
			"folder of their own)",
			folder, n);
	p->also = n > 1 ? calloc(n - 1, sizeof(*p->also)) : NULL;
	if (n > 1 && !p->also)
		return err_sys(e, "%s", folder);
	if (read_one_validator(p, folder, &list[0], &p->validator, e) < 0)
		return -1;
	for (size_t i = 1; i < n; i++) {
		p->nalso = i;
		if (read_one_validator(p, folder, &list[i], &p->also[i - 1], e) < 0)
			return -1;
	}
	return 0;
}

static int read_validator(struct problem *p, const struct problem_settings *s,
			  const struct package_entry *list, size_t n, const char *folder,
			  struct err *e)
{
	if (s->format != PROBLEM_2025_09)
		return read_validators(p, list, n, folder, e);
	if (n == 1)
		return read_one_validator(p, folder, &list[0], &p->validator, e);
	return read_program(p, folder, &p->validator.sources, &p->validator.nsources, e);
}

/* A validator where only the other format looks for it would be passed over, and every output compared with the answer. */
static int check_other_folder(const struct problem *p, int new, struct err *e)
{
	const char *other = new ? "output_validators" : "output_validator";
	int kind = p->custom ? 0 : package_kind(p->dir, other, e);

	if (kind < 0)
		return -1;
	return kind == 0 ? 0
			 : err_set(e, "%s: belongs to %s, expected %s", other,
				   new ? "the legacy formats" : "2025-09",
				   new ? "output_validator" : "output_validators");
}

/* Legacy packages say in problem.yaml whether they have a validator, 2025-09 ones by having it. */
static int find_validator(struct problem *p, const struct problem_settings *s, struct err *e)
{
	int new = s->format == PROBLEM_2025_09;
	const char *folder = new ? "output_validator" : "output_validators";
	struct package_entry *list;
	size_t n;
	int rc = package_list(p->dir, folder, &list, &n, e);

	if (rc < 0)
		return -1;
	p->custom = new ? n > 0 : s->custom;
	if (check_other_folder(p, new, e) < 0)
		rc = -1;
	else if (p->custom && n == 0)
		rc = err_set(e, "problem.yaml: validation: custom, but there is no program in %s",
			     folder);
	else if (!p->custom && n > 0)
		rc = err_set(e, "%s: problem.yaml does not use it, expected validation: custom",
			     folder);
	else if (p->custom)
		rc = read_validator(p, s, list, n, folder, e);
	else if (p->kind & (PROBLEM_INTERACTIVE | PROBLEM_MULTI_PASS))
		rc = err_set(e, "problem.yaml: type: %s, but there is no program in %s",
			     p->kind & PROBLEM_INTERACTIVE ? "interactive" : "multi-pass", folder);
	package_list_free(list, n);
	return rc;
}

/* Folders that would change how submissions are judged. */
static int check_unsupported(const struct problem *p, struct err *e)
{
	static const char *const names[] = {"static_validator"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct package_entry *list;
		size_t n;

		if (package_list(p->dir, names[i], &list, &n, e) < 0)
			return -1;
		package_list_free(list, n);
		if (n > 0)
			return err_set(e, "%s: not supported yet", names[i]);
	}
	return 0;
}

/* Which groups use it, their testdata.yaml says. */
static int find_grader(struct problem *p, const struct problem_settings *s, struct err *e)
{
	static const char folder[] = "graders";
	struct package_entry *list;
	size_t n;
	int rc = package_list(p->dir, folder, &list, &n, e);

	if (rc < 0)
		return -1;
	if (n > 0 && s->format == PROBLEM_2025_09)
		rc = err_set(e,
			     "%s: belongs to the legacy format; in 2025-09 test_group.yaml says "
			     "how scores are added up",
			     folder);
	else if (n > 1)
		rc = err_set(e,
			     "%s: holds %zu programs, expected one (put the files of one into a "
			     "folder of their own)",
			     folder, n);
	else if (n == 1)
		rc = problem_read_program(p, folder, &list[0], &p->grader.sources,
					  &p->grader.nsources, e);
	package_list_free(list, n);
	return rc;
}

int problem_read_programs(struct problem *p, const struct problem_settings *s, struct err *e)
{
	if (check_unsupported(p, e) < 0 || problem_read_includes(p, s, e) < 0 ||
	    find_validator(p, s, e) < 0 || find_grader(p, s, e) < 0)
		return -1;
	if (problem_read_input_validators(p, e) < 0)
		return -1;
	return problem_read_submissions(p, s, e);
}
