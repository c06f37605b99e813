#include <errno.h>

#include "judge/package.h"
#include "judge/problem.h"
#include "judge/problem_parts.h"
#include "judge/sandbox_client.h"
#include "judge/store.h"
#include "judge/tally.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

static int put_file(struct store *s, const struct problem *p, const struct problem_file *f,
		    struct err *e)
{
	AUTO_FREE char *data = NULL;
	char hash[STORE_HASH_LEN + 1];
	size_t len;

	if (problem_load(p, f, &data, &len, e) < 0)
		return -1;
	if (store_put_blob(s, data, len, hash, e) < 0)
		return err_wrap(e, "%.100s", f->path);
	return 0;
}

static int put_files(struct store *s, const struct problem *p, const struct problem_file *files,
		     size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (put_file(s, p, &files[i], e) < 0)
			return -1;
	return 0;
}

static int put_tests(struct store *s, const struct problem *p, struct err *e)
{
	for (size_t i = 0; i < p->ncases; i++)
		if (put_file(s, p, &p->cases[i].in, e) < 0 ||
		    put_file(s, p, &p->cases[i].ans, e) < 0 ||
		    put_files(s, p, p->cases[i].files, p->cases[i].nfiles, e) < 0)
			return -1;
	for (size_t i = 0; i < p->nincludes; i++)
		if (put_files(s, p, p->includes[i].files, p->includes[i].nfiles, e) < 0)
			return -1;
	return 0;
}

/* One file of a built program becomes a blob and a row of the manifest.  Folders have no descriptor: only their name is kept. */
static int put_artifact(struct store *s, const struct sandbox_file *file, struct problem_file *out,
			struct err *e)
{
	AUTO_FREE char *data = NULL;
	AUTO_CLOSE int fd = -1;
	size_t len = 0;

	*out = (struct problem_file){.mode = file->mode, .name = strdup(file->name)};
	if (!out->name)
		return err_sys(e, "%s", file->name);
	if (file->fd >= 0) {
		fd = io_reopen(file->fd, e);
		if (fd < 0 || io_read_fd(fd, PROBLEM_FILE_MAX, &data, &len, e) < 0)
			return err_wrap(e, "%.100s", file->name);
	}
	out->bytes = len;
	return store_put_blob(s, data ? data : "", len, out->hash, e);
}

static int put_artifacts(struct store *s, struct problem_program *program,
			 struct problem_built *built, struct err *e)
{
	if (!built->language || built->nfiles == 0)
		return err_set(e, "the build gave no program");
	program->language = ptr_steal(&built->language);
	program->artifacts = calloc(built->nfiles, sizeof(*program->artifacts));
	if (!program->artifacts)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < built->nfiles; i++)
		if (put_artifact(s, &built->files[i], &program->artifacts[program->nartifacts++],
				 e) < 0)
			return -1;
	return 0;
}

/* Nothing to do for a program that the package does not have. */
static int build_program(struct store *s, const struct problem *p, const char *what,
			 struct problem_program *program, const struct problem_makers *make,
			 struct err *e)
{
	struct problem_built built = {0};
	int rc;

	if (program->nsources == 0)
		return 0;
	rc = make->build(make->arg, p, program, &built, e);
	if (rc == 0)
		rc = put_artifacts(s, program, &built, e);
	if (rc == 0)
		rc = put_files(s, p, program->sources, program->nsources, e);
	free(built.language);
	if (built.files)
		sandbox_files_free(built.files, built.nfiles);
	return rc < 0 ? err_wrap(e, "%s", what) : 0;
}

/* The words of 2025-09, whatever format the package has; returns how many. */
static size_t list_types(unsigned kind, char **out)
{
	static const struct {
		unsigned kind;
		char *word;
	} types[] = {
		{PROBLEM_SCORING, "scoring"},
		{PROBLEM_INTERACTIVE, "interactive"},
		{PROBLEM_MULTI_PASS, "multi-pass"},
		{PROBLEM_SUBMIT_ANSWER, "submit-answer"},
	};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (kind & types[i].kind)
			out[n++] = types[i].word;
	return n;
}

static size_t count_words(char *const *words)
{
	size_t n = 0;

	while (words && words[n])
		n++;
	return n;
}

/* "cpp/driver.cpp", as the API has them; NULL: out of memory. */
static char **included_names(const struct problem *p)
{
	char **words = problem_words(NULL, "");

	for (size_t i = 0; words && i < p->nincludes; i++)
		for (size_t k = 0; words && k < p->includes[i].nfiles; k++) {
			char **before = words, *name;

			if (asprintf(&name, "%s/%s", p->includes[i].code,
				     p->includes[i].files[k].name) < 0)
				name = NULL;
			words = name ? problem_words(before, name) : NULL;
			problem_words_free(before);
			free(name);
		}
	return words;
}

/* All but data itself; borrowed. */
static char **group_names(const struct problem *p, size_t *n)
{
	char **names = calloc(p->ngroups, sizeof(*names));

	for (size_t i = 1; names && i < p->ngroups; i++)
		names[i - 1] = p->groups[i].name;
	*n = names ? p->ngroups - 1 : 0;
	return names;
}

static int add_version(struct store *s, struct problem *p, struct err *e)
{
	char *types[4];
	Judge__V1__Problem summary = JUDGE__V1__PROBLEM__INIT;
	AUTO_FREE char *manifest = problem_to_manifest(p);
	AUTO_FREE char **groups = NULL;
	char best[SCORE_TEXT_MAX];
	struct store_problem version = {
		.name = p->name, .title = p->title, .manifest = manifest, .summary = &summary};

	char **includes = included_names(p);
	int rc;

	if (!manifest || !includes) {
		problem_words_free(includes);
		return err_set(e, "out of memory");
	}
	memcpy(version.version, p->version, sizeof(version.version));
	summary.name = p->name;
	summary.title = p->title;
	summary.version = p->version;
	summary.tests = (uint32_t)p->ncases;
	summary.cpu_limit_us = p->limits.time_us;
	summary.memory_limit_bytes = p->limits.memory_bytes;
	summary.output_limit_bytes = p->limits.output_bytes;
	summary.code_limit_bytes = p->limits.code_bytes;
	summary.validation = p->custom ? "custom" : "default";
	summary.types = types;
	summary.n_types = list_types(p->kind, types);
	summary.languages = p->languages;
	summary.n_languages = count_words(p->languages);
	summary.includes = includes;
	summary.n_includes = count_words(includes);
	summary.objective = !(p->kind & PROBLEM_SCORING) ? "" : p->minimize ? "min" : "max";
	tally_best(p, best);
	summary.max_score = best;
	summary.show_groups = p->show_groups;
	groups = group_names(p, &summary.n_groups);
	summary.groups = groups;
	rc = groups ? store_add_problem(s, &version, e) : err_set(e, "out of memory");
	problem_words_free(includes);
	return rc;
}

/*
 * 1: the store had this version, and it is the current one now; 0: it has not.  *changed: another one was current before.
 */
static int reuse_version(struct store *s, const struct problem *p, int *changed, struct err *e)
{
	struct store_problem known = {0};
	int same, rc;

	if (store_get_problem(s, p->name, NULL, &known, e) == 0) {
		same = strcmp(known.version, p->version) == 0;
		store_problem_release(&known);
		if (same) {
			*changed = 0;
			return 1;
		}
	} else if (e->num != ENOENT) {
		return -1;
	}
	*changed = 1;
	if (store_get_problem(s, p->name, p->version, &known, e) < 0)
		return e->num == ENOENT ? 0 : -1;
	rc = store_add_problem(s, &known, e);
	store_problem_release(&known);
	return rc < 0 ? -1 : 1;
}

int problem_store(struct store *s, struct problem *p, const struct problem_makers *make,
		  int *changed, struct err *e)
{
	int known = reuse_version(s, p, changed, e);

	if (known != 0)
		return known < 0 ? -1 : 0;
	for (size_t i = 0; i < p->nalso; i++)
		if (build_program(s, p, "validator", &p->also[i], make, e) < 0)
			return -1;
	if (build_program(s, p, "validator", &p->validator, make, e) < 0 ||
	    build_program(s, p, "interactor", &p->interactor, make, e) < 0 ||
	    build_program(s, p, "grader", &p->grader, make, e) < 0 || put_tests(s, p, e) < 0)
		return -1;
	if (p->limits.time_us == 0 && make->measure(make->arg, s, p, e) < 0)
		return -1;
	return add_version(s, p, e);
}

int problem_import(struct store *s, const char *path, const struct problem_makers *make,
		   char *version, int *changed, struct err *e)
{
	struct problem p;
	int rc = problem_read_in(path, store_folder(s), &p, e);

	if (rc == 0)
		rc = problem_store(s, &p, make, changed, e);
	if (rc == 0)
		memcpy(version, p.version, sizeof(p.version));
	else
		err_wrap(e, "problem %.60s", p.name ? p.name : path);
	problem_release(&p);
	return rc;
}
