#include "judge/verify_judge.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "judge/job.h"
#include "judge/jury.h"
#include "judge/problem.h"
#include "judge/store.h"
#include "judge/verify_host.h"
#include "judge/verify_report.h"
#include "judge/verify_world.h"
#include "proto/err.h"
#include "proto/scope.h"

#define CELL_WAIT_MS 60000

/* One package while it is judged. */
struct work {
	struct verify_world *world;
	struct problem package, stored; /* as it is on disk; as a worker gets it */
	const struct language *validator;
	struct verify_report report;
	atomic_size_t next, done; /* submission to take; how many have been judged */
	atomic_int no_sandbox;
};

/* Why this submission has no verdict, or a JUDGE_ERROR. */
static void fail(struct verify_outcome *o, int verdict, const struct err *e)
{
	o->verdict = verdict;
	o->message = strdup(e->msg);
}

static void take_usage(struct verify_outcome *o, const Judge__V1__Usage *u)
{
	if (u->cpu_time_us > o->cpu_time_us)
		o->cpu_time_us = u->cpu_time_us;
	if (u->memory_peak_bytes > o->memory_peak_bytes)
		o->memory_peak_bytes = u->memory_peak_bytes;
}

static char *copy(const char *text)
{
	return text && text[0] ? strdup(text) : NULL;
}

/* The last run decided unless all tests were passed or none was run. */
static void take_result(struct verify_outcome *o, const struct job_result *r)
{
	const Judge__V1__Run *last = r->nruns ? r->runs[r->nruns - 1] : NULL;

	for (size_t i = 0; i < r->nruns; i++)
		if (r->runs[i]->usage)
			take_usage(o, r->runs[i]->usage);
	o->verdict = (int)r->verdict;
	if (r->verdict == JUDGE__V1__VERDICT__COMPILE_ERROR) {
		o->message = copy(r->compiler_message);
	} else if (r->verdict != JUDGE__V1__VERDICT__ACCEPTED && last) {
		o->test = copy(last->name);
		o->reason = copy(last->usage ? last->usage->reason : NULL);
		o->message = copy(last->message);
	}
	if (!o->message)
		o->message = copy(r->message);
	if (last)
		o->transcript = copy(last->transcript);
}

static void run_job(struct work *w, struct verify_outcome *o, const struct language *l,
		    const struct compile_source *sources)
{
	struct job_config config = {
		.program_socket = w->world->host->program_socket,
		.jury_socket = w->world->host->jury_socket,
		.blobs = w->world->blobs,
		.host = "verify",
		.problem = &w->stored,
		.language = l,
		.validator = w->validator,
		.sources = sources,
		.nsources = o->submission->nfiles,
		.transcript_bytes = w->world->transcript_bytes,
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
	fail(o, JUDGE__V1__VERDICT__JUDGE_ERROR, &e);
}

static const struct language *language_of(struct work *w, const struct problem_submission *s,
					  struct err *e)
{
	const char **names = calloc(s->nfiles + 1, sizeof(*names));
	const struct language *l;

	if (!names) {
		err_set(e, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < s->nfiles; i++)
		names[i] = s->files[i].name;
	l = languages_by_files(&w->world->languages, names, s->nfiles, 1, e);
	free(names);
	return l;
}

static void free_sources(struct compile_source *sources, size_t n)
{
	for (size_t i = 0; sources && i < n; i++)
		free((void *)sources[i].data);
	free(sources);
}

/* As large as a contestant's may be, since that is what it stands for. */
static struct compile_source *load_sources(struct work *w, const struct problem_submission *s,
					   struct err *e)
{
	struct compile_source *sources = calloc(s->nfiles + 1, sizeof(*sources));
	uint64_t bytes = 0;

	if (!sources) {
		err_set(e, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < s->nfiles; i++) {
		char *data;

		if (problem_load(&w->package, &s->files[i], &data, &sources[i].len, e) < 0) {
			free_sources(sources, i);
			return NULL;
		}
		sources[i].name = s->files[i].name;
		sources[i].data = data;
		bytes += sources[i].len;
	}
	if (bytes <= w->package.limits.code_bytes)
		return sources;
	err_set(e, "larger than the problem's code limit of %llu bytes",
		(unsigned long long)w->package.limits.code_bytes);
	free_sources(sources, s->nfiles);
	return NULL;
}

static void judge_one(struct work *w, struct verify_outcome *o)
{
	struct compile_source *sources = NULL;
	const struct language *l;
	struct err e = {0};

	l = language_of(w, o->submission, &e);
	if (l) {
		o->language = l->name;
		sources = load_sources(w, o->submission, &e);
	}
	if (!sources) {
		fail(o, 0, &e);
		return;
	}
	run_job(w, o, l, sources);
	free_sources(sources, o->submission->nfiles);
}

/* On a terminal only, in one line that the table then takes the place of. */
static void show_progress(const struct work *w, size_t done)
{
	if (!isatty(STDERR_FILENO))
		return;
	if (done < w->report.n)
		fprintf(stderr, "\r%s: %zu of %zu judged ", w->package.name, done, w->report.n);
	else
		fprintf(stderr, "\r\033[K");
}

static void *judge_thread(void *arg)
{
	struct work *w = arg;
	size_t i;

	while ((i = w->next++) < w->report.n && !w->no_sandbox) {
		judge_one(w, &w->report.outcomes[i]);
		show_progress(w, ++w->done);
	}
	return NULL;
}

static void judge_all(struct work *w)
{
	pthread_t threads[VERIFY_JOBS_MAX];
	size_t n = w->world->jobs, started = 0;

	while (started < n && pthread_create(&threads[started], NULL, judge_thread, w) == 0)
		started++;
	if (started == 0)
		(void)judge_thread(w);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}

/* Into the store and out again, so that what is judged is what judged would judge. */
static int store_package(struct work *w, struct err *e)
{
	struct jury_builder builder = {w->world->host->jury_socket, &w->world->languages,
				       CELL_WAIT_MS};
	struct store_problem version;
	int changed, rc;

	if (problem_store(w->world->store, &w->package, jury_build, &builder, &changed, e) < 0)
		return err_wrap(e, "problem %.60s", w->package.name);
	if (store_get_problem(w->world->store, w->package.name, w->package.version, &version, e) <
	    0)
		return -1;
	rc = problem_from_manifest(version.manifest, &w->stored, e);
	store_problem_release(&version);
	if (rc < 0 || !w->stored.custom)
		return rc;
	w->validator = languages_find(&w->world->languages, w->stored.validator.language);
	return w->validator ? 0 : err_set(e, "the validator's language is gone");
}

static int prepare(struct work *w, const char *dir, struct err *e)
{
	struct verify_report *r = &w->report;

	if (problem_read_in(dir, store_folder(w->world->store), &w->package, e) < 0)
		return e->num == EACCES ? err_wrap(e, "closed to the user that judges (see --user)")
					: -1;
	r->problem = &w->package;
	if (w->package.nsubmissions == 0)
		return err_set(e, "submissions: there is no program to judge");
	r->outcomes = calloc(w->package.nsubmissions, sizeof(*r->outcomes));
	if (!r->outcomes)
		return err_set(e, "out of memory");
	if (store_package(w, e) < 0)
		return -1;
	r->n = w->package.nsubmissions;
	for (size_t i = 0; i < r->n; i++)
		r->outcomes[i].submission = &w->package.submissions[i];
	return 0;
}

static void work_release(struct work *w)
{
	for (size_t i = 0; i < w->report.n; i++) {
		free(w->report.outcomes[i].test);
		free(w->report.outcomes[i].reason);
		free(w->report.outcomes[i].message);
		free(w->report.outcomes[i].transcript);
	}
	free(w->report.outcomes);
	problem_release(&w->package);
	problem_release(&w->stored);
}

enum verify_exit verify_package(struct verify_world *world, const char *dir, json_t *json)
{
	struct work w = {.world = world,
			 .package = {.dir = -1},
			 .stored = {.dir = -1},
			 .report = {.dir = dir}};
	struct err e = {0};
	enum verify_exit rc;

	if (prepare(&w, dir, &e) == 0)
		judge_all(&w);
	else
		w.report.error = e.msg;
	if (json)
		json_array_append_new(json, verify_to_json(&w.report));
	else
		verify_print(&w.report);
	rc = w.report.error || verify_unexpected(&w.report) ? VERIFY_UNEXPECTED : VERIFY_OK;
	if (w.no_sandbox)
		rc = VERIFY_FAILED;
	work_release(&w);
	return rc;
}
