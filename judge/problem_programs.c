#include "judge/grade.h"
#include "judge/names.h"
#include "judge/package.h"
#include "judge/problem_parts.h"
#include "proto/err.h"
#include "proto/judge.pb-c.h"
#include "proto/scope.h"

#define AC  PROBLEM_VERDICT(JUDGE__V1__VERDICT__ACCEPTED)
#define WA  PROBLEM_VERDICT(JUDGE__V1__VERDICT__WRONG_ANSWER)
#define TLE PROBLEM_VERDICT(JUDGE__V1__VERDICT__TIME_LIMIT_EXCEEDED)
#define MLE PROBLEM_VERDICT(JUDGE__V1__VERDICT__MEMORY_LIMIT_EXCEEDED)
#define OLE PROBLEM_VERDICT(JUDGE__V1__VERDICT__OUTPUT_LIMIT_EXCEEDED)
#define RTE PROBLEM_VERDICT(JUDGE__V1__VERDICT__RUN_TIME_ERROR)
#define SV  PROBLEM_VERDICT(JUDGE__V1__VERDICT__SECURITY_VIOLATION)
#define CE  PROBLEM_VERDICT(JUDGE__V1__VERDICT__COMPILE_ERROR)

/*
 * What the verdict of a whole submission, which is that of its first test that is not accepted, has to be.  The formats speak of
 * all tests; as judging stops at the first failure, "permitted" and "required" fall together for most folders.
 */
static const struct {
	const char *folder;
	uint32_t permitted, required;
	int only_new; /* 2025-09 */
} folders[] = {
	{"accepted", AC, AC, 0},
	{"wrong_answer", AC | WA, WA, 0},
	{"time_limit_exceeded", AC | TLE, TLE, 0},
	{"run_time_error", AC | RTE, RTE, 0},
	{"rejected", RTE | TLE | WA, RTE | TLE | WA, 1},
	{"brute_force", AC | RTE | TLE, RTE | TLE, 1},
	{"compile_error", CE, CE, 0}, /* ours, as are the exact ones below */
	{"memory_limit_exceeded", AC | MLE, MLE, 0},
	{"output_limit_exceeded", AC | OLE, OLE, 0},
	{"security_violation", AC | SV, SV, 0},
};

const char *problem_verdict_code(int verdict)
{
	return grade_code((Judge__V1__Verdict)verdict);
}

int problem_expected(const struct problem_submission *s, int verdict)
{
	uint32_t bit = verdict > 0 && verdict < 32 ? PROBLEM_VERDICT(verdict) : 0;

	if (bit)
		bit |= PROBLEM_VERDICT(grade_fold((Judge__V1__Verdict)verdict));
	return (bit & s->permitted) != 0 && (s->required == 0 || (bit & s->required) != 0);
}

void problem_expectation(const struct problem_submission *s, char *out, size_t size)
{
	uint32_t set = s->required ? s->permitted & s->required : s->permitted;
	size_t at = 0;

	out[0] = '\0';
	for (int v = 1; v < 32 && at < size; v++)
		if (set & PROBLEM_VERDICT(v))
			at += (size_t)snprintf(out + at, size - at, "%s%s", at ? " or " : "",
					       problem_verdict_code(v));
}

/* Appends the file at path to a program. */
static int add_source(const struct problem *p, const char *path, struct problem_file **files,
		      size_t *n, struct err *e)
{
	const char *name = strrchr(path, '/') + 1;
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
	return problem_file_read(p, path, name, &grown[(*n)++], e);
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
	if (strcmp(entry->name, "build") == 0 || strcmp(entry->name, "run") == 0)
		return err_set(e, "%s: programs with a build or run script are not supported yet",
			       path);
	return add_source(p, path, files, n, e);
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

/* A file, or a folder of files. */
static int read_entry(const struct problem *p, const char *folder,
		      const struct package_entry *entry, struct problem_file **files, size_t *n,
		      struct err *e)
{
	AUTO_FREE char *path = NULL;

	if (asprintf(&path, "%s/%s", folder, entry->name) < 0) {
		path = NULL;
		return err_sys(e, "%s", folder);
	}
	return entry->folder ? read_program(p, path, files, n, e)
			     : add_source(p, path, files, n, e);
}

static int read_validator(struct problem *p, const struct problem_settings *s,
			  const struct package_entry *list, size_t n, const char *folder,
			  struct err *e)
{
	if (n == 1)
		return read_entry(p, folder, &list[0], &p->validator.sources,
				  &p->validator.nsources, e);
	if (s->format == PROBLEM_2025_09)
		return read_program(p, folder, &p->validator.sources, &p->validator.nsources, e);
	return err_set(
		e,
		"%s: holds %zu validators, only one is supported yet (put the files of one into a "
		"folder of their own)",
		folder, n);
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
	if (p->custom && n == 0)
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

static int add_submission(struct problem *p, const char *path, size_t row,
			  const struct package_entry *entry, struct err *e)
{
	struct problem_submission *grown, *sub;

	grown = reallocarray(p->submissions, p->nsubmissions + 1, sizeof(*grown));
	if (!grown)
		return err_sys(e, "%s", path);
	p->submissions = grown;
	sub = &grown[p->nsubmissions++];
	*sub = (struct problem_submission){
		.permitted = folders[row].permitted,
		.required = folders[row].required,
		.folder = strdup(folders[row].folder),
	};
	if (asprintf(&sub->name, "%s/%s", folders[row].folder, entry->name) < 0)
		sub->name = NULL;
	if (!sub->name || !sub->folder)
		return err_sys(e, "%s", path);
	return read_entry(p, path, entry, &sub->files, &sub->nfiles, e);
}

static int read_folder(struct problem *p, const struct problem_settings *s,
		       const struct package_entry *folder, struct err *e)
{
	AUTO_FREE char *path = NULL;
	struct package_entry *list;
	size_t n, row = 0;
	int rc;

	if (asprintf(&path, "submissions/%s", folder->name) < 0) {
		path = NULL;
		return err_sys(e, "submissions");
	}
	if (strcmp(folder->name, "submissions.yaml") == 0 ||
	    strcmp(folder->name, "partially_accepted") == 0)
		return err_set(e, "%s: not supported yet", path);
	while (row < ARRAY_LEN(folders) && strcmp(folders[row].folder, folder->name) != 0)
		row++;
	if (row == ARRAY_LEN(folders) || !folder->folder ||
	    (folders[row].only_new && s->format != PROBLEM_2025_09))
		return err_set(e,
			       "%.60s: expected a folder that names a verdict, like accepted, "
			       "wrong_answer, "
			       "time_limit_exceeded, run_time_error, compile_error",
			       path);
	if (package_list(p->dir, path, &list, &n, e) < 0)
		return -1;
	rc = 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add_submission(p, path, row, &list[i], e);
	package_list_free(list, n);
	return rc;
}

static int read_submissions(struct problem *p, const struct problem_settings *s, struct err *e)
{
	struct package_entry *list;
	size_t n;
	int rc = package_list(p->dir, "submissions", &list, &n, e);

	if (rc < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = read_folder(p, s, &list[i], e);
	package_list_free(list, n);
	return rc;
}

/* Folders that would change how submissions are judged. */
static int check_unsupported(const struct problem *p, struct err *e)
{
	static const char *const names[] = {"include", "graders", "static_validator"};

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

int problem_read_programs(struct problem *p, const struct problem_settings *s, struct err *e)
{
	if (check_unsupported(p, e) < 0 || find_validator(p, s, e) < 0)
		return -1;
	return read_submissions(p, s, e);
}
