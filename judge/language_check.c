#include "judge/language_check.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "judge/compile.h"
#include "judge/job.h"
#include "judge/jury.h"
#include "judge/language_check_report.h"
#include "judge/measure.h"
#include "judge/names.h"
#include "judge/problem.h"
#include "judge/store.h"
#include "judge/verify.h"
#include "judge/verify_world.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define CELL_WAIT_MS   60000
#define PROGRAM_MAX    65536
#define PACKAGE        "check/sums"
#define PROGRAMS       "check/programs"
#define COMMAND        "judge languages --check"
#define PATH_SHOWN_MAX 128

/* One program to judge: which row, which column. */
struct work {
	const struct language_check_options *options;
	struct verify_world world;
	struct problem problem; /* as a worker gets it */
	struct language_check_report report;
	const struct language **missing;
	atomic_size_t next, done; /* program to take; how many have been judged */
	atomic_int no_sandbox;
};

static void fail(struct language_check_outcome *o, const struct err *e)
{
	o->message = strdup(e->msg);
}

static char *copy(const char *text)
{
	return text && text[0] ? strdup(text) : NULL;
}

static void take_result(struct language_check_outcome *o, const struct job_result *r)
{
	const Judge__V1__Run *last = r->nruns ? r->runs[r->nruns - 1] : NULL;

	for (size_t i = 0; i < r->nruns; i++) {
		const Judge__V1__Usage *u = r->runs[i]->usage;

		if (u && u->cpu_time_us > o->cpu_time_us)
			o->cpu_time_us = u->cpu_time_us;
		if (u && u->memory_peak_bytes > o->memory_peak_bytes)
			o->memory_peak_bytes = u->memory_peak_bytes;
	}
	o->verdict = (int)r->verdict;
	if (r->verdict == JUDGE__V1__VERDICT__COMPILE_ERROR) {
		o->message = copy(r->compiler_message);
	} else if (last) {
		o->reason = copy(last->usage ? last->usage->reason : NULL);
		o->message = copy(last->message);
	}
	if (!o->message)
		o->message = copy(r->message);
}

/* What a caller has to find beside the rules: "kotlin/accepted.kt" */
static int find_program(int dir, const char *language, const char *stem, char *out, struct err *e)
{
	DIR *list = fdopendir(dir);
	const struct dirent *entry;
	int found = 0;

	if (!list) {
		close(dir);
		return err_sys(e, "%s/%s", PROGRAMS, language);
	}
	while ((entry = readdir(list))) { /* NOLINT(concurrency-mt-unsafe): a stream of its own */
		size_t len = names_stem_len(entry->d_name);

		if (len != strlen(stem) || strncmp(entry->d_name, stem, len) != 0)
			continue;
		snprintf(out, NAMES_SOURCE_MAX + 1, "%.*s", NAMES_SOURCE_MAX, entry->d_name);
		found++;
	}
	closedir(list);
	if (found == 1)
		return 0;
	return err_set(e, "%s/%s: expected one file called %s.* there, found %d", PROGRAMS,
		       language, stem, found);
}

static int open_programs(const struct work *w, const char *language, struct err *e)
{
	char path[PATH_SHOWN_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", PROGRAMS, language);
	fd = openat(w->world.host->rules, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "no programs to check this language with: rules/%s", path) : fd;
}

/* name has NAMES_SOURCE_MAX + 1 bytes. */
static int load_program(const struct work *w, const char *language, const char *stem, char *name,
			char **data, size_t *len, struct err *e)
{
	char path[2 * NAMES_SOURCE_MAX + PATH_SHOWN_MAX];
	int dir = open_programs(w, language, e);

	if (dir < 0 || find_program(dir, language, stem, name, e) < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s/%s/%s", w->world.host->rules, PROGRAMS,
		 language, name);
	return io_read_file(path, PROGRAM_MAX, data, len, e);
}

static void run_job(struct work *w, struct language_check_outcome *o, const struct language *l,
		    const struct compile_source *source)
{
	struct job_config config = {
		.program_socket = w->world.host->program_socket,
		.jury_socket = w->world.host->jury_socket,
		.blobs = w->world.blobs,
		.host = "check",
		.problem = &w->problem,
		.language = l,
		.sources = source,
		.nsources = 1,
	};
	struct job_result result;
	struct err e = {0};
	struct job job;
	enum job_end end;

	job_init(&job, &config);
	end = job_run(&job, &result, &e);
	job_release(&job);
	if (end == JOB_DONE) {
		take_result(o, &result);
		job_result_release(&result);
		return;
	}
	if (end == JOB_NO_SANDBOX)
		w->no_sandbox = 1;
	fail(o, &e);
}

static void judge_one(struct work *w, struct language_check_row *row, enum language_check_kind kind)
{
	struct language_check_outcome *o = &row->outcomes[kind];
	const char *language = row->language->name;
	AUTO_FREE char *data = NULL;
	char name[NAMES_SOURCE_MAX + 1];
	struct compile_source source = {.name = name};
	struct err e = {0};
	int64_t start = io_monotonic_us();

	if (load_program(w, language, language_check_name(kind), name, &data, &source.len, &e) <
	    0) {
		fail(o, &e);
		return;
	}
	source.data = data;
	run_job(w, o, row->language, &source);
	o->wall_us = io_monotonic_us() - start;
}

/* On a terminal only, in one line that the table then takes the place of. */
static void show_progress(struct work *w, const struct language *l)
{
	size_t done = ++w->done, all = w->report.n * CHECK_KINDS;

	if (!isatty(STDERR_FILENO))
		return;
	if (done < all)
		fprintf(stderr, "\r%zu of %zu programs judged, %s \033[K", done, all, l->name);
	else
		fprintf(stderr, "\r\033[K");
}

static void *judge_thread(void *arg)
{
	struct work *w = arg;
	size_t i;

	while ((i = w->next++) < w->report.n * CHECK_KINDS && !w->no_sandbox) {
		struct language_check_row *row = &w->report.rows[i / CHECK_KINDS];

		judge_one(w, row, (enum language_check_kind)(i % CHECK_KINDS));
		show_progress(w, row->language);
	}
	return NULL;
}

static void judge_all(struct work *w)
{
	pthread_t threads[VERIFY_JOBS_MAX];
	size_t started = 0;

	while (started < w->world.jobs &&
	       pthread_create(&threads[started], NULL, judge_thread, w) == 0)
		started++;
	if (started == 0)
		(void)judge_thread(w);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}

static int is_wanted(const struct work *w, const char *name)
{
	for (size_t i = 0; i < w->options->n; i++)
		if (strcmp(w->options->names[i], name) == 0)
			return 1;
	return w->options->n == 0;
}

/* A language that was asked for by name must be there. */
static int check_names(const struct work *w, struct err *e)
{
	for (size_t i = 0; i < w->options->n; i++) {
		const char *name = w->options->names[i];
		const struct language *l = languages_find(&w->world.languages, name);

		if (!l)
			return err_set(e, "no language is called %s", name);
		if (!l->available)
			return err_set(e, "%s is not installed: %s", name,
				       l->reason ? l->reason : "not found");
	}
	return 0;
}

static int choose(struct work *w, struct err *e)
{
	const struct languages *all = &w->world.languages;
	struct language_check_report *r = &w->report;

	if (check_names(w, e) < 0)
		return -1;
	r->rows = calloc(all->n + 1, sizeof(*r->rows));
	w->missing = calloc(all->n + 1, sizeof(struct language *));
	if (!r->rows || !w->missing)
		return err_set(e, "out of memory");
	r->missing = w->missing;
	for (size_t i = 0; i < all->n; i++) {
		if (!is_wanted(w, all->items[i].name))
			continue;
		if (all->items[i].available)
			r->rows[r->n++].language = &all->items[i];
		else
			w->missing[r->nmissing++] = &all->items[i];
	}
	r->broken = w->options->n == 0 ? all->nbroken : 0;
	return r->n + r->broken > 0 ? 0 : err_set(e, "no language is installed");
}

/* Into the store and out again, so that what is judged is what judged would judge. */
static int load_problem(struct work *w, struct err *e)
{
	struct jury_builder builder = {w->world.host->jury_socket, &w->world.languages,
				       CELL_WAIT_MS, w->world.host->program_socket};
	const struct problem_makers make = {jury_build, measure_time_limit, &builder};
	char dir[64], hash[PROBLEM_HASH_LEN + 1];
	struct store_problem version;
	int changed, rc;

	snprintf(dir, sizeof(dir), "/proc/self/fd/%d/%s", w->world.host->rules, PACKAGE);
	if (problem_import(w->world.store, dir, &make, hash, &changed, e) < 0 ||
	    store_get_problem(w->world.store, "sums", hash, &version, e) < 0)
		return err_wrap(e, "rules/%s", PACKAGE);
	rc = problem_from_manifest(version.manifest, &w->problem, e);
	store_problem_release(&version);
	w->report.memory_limit_bytes = w->problem.limits.memory_bytes;
	return rc;
}

static void work_release(struct work *w)
{
	for (size_t i = 0; i < w->report.n; i++) {
		for (int kind = 0; kind < CHECK_KINDS; kind++) {
			free(w->report.rows[i].outcomes[kind].reason);
			free(w->report.rows[i].outcomes[kind].message);
		}
	}
	free(w->report.rows);
	free(w->missing);
	problem_release(&w->problem);
	verify_world_close(&w->world);
}

/* In the unprivileged process. */
static int check_languages(void *arg, const struct verify_host *host)
{
	const struct language_check_options *o = arg;
	struct work w = {.options = o,
			 .world = {.host = host, .jobs = o->host.cells},
			 .problem = {.dir = -1}};
	struct err e = {0};
	int rc = VERIFY_FAILED;

	if (verify_world_open(&w.world, COMMAND, &e) < 0) {
		fprintf(stderr, COMMAND ": %s\n", e.msg);
	} else {
		if (choose(&w, &e) < 0 || load_problem(&w, &e) < 0)
			w.report.error = e.msg;
		else
			judge_all(&w);
		if (o->json)
			language_check_print_json(&w.report);
		else
			language_check_print(&w.report);
		rc = w.report.error || language_check_failures(&w.report) > 0 ? VERIFY_UNEXPECTED
									      : VERIFY_OK;
	}
	if (w.no_sandbox)
		rc = VERIFY_FAILED;
	(void)fflush(stdout);
	work_release(&w);
	return rc;
}

int language_check(const struct language_check_options *o)
{
	struct err e = {0};
	int rc = verify_host_run(&o->host, check_languages, (void *)o, &e);

	if (rc >= 0)
		return rc;
	fprintf(stderr, COMMAND ": %s\n", e.msg);
	return VERIFY_FAILED;
}
