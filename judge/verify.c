#include "judge/verify.h"

#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "judge/blob_cache.h"
#include "judge/config.h"
#include "judge/doc_value.h"
#include "judge/job.h"
#include "judge/jury.h"
#include "judge/language.h"
#include "judge/probe.h"
#include "judge/problem.h"
#include "judge/sandbox_client.h"
#include "judge/store.h"
#include "judge/verify_host.h"
#include "judge/verify_report.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define START_MS     20000 /* for sandboxd to come up */
#define CELL_WAIT_MS 60000
#define CACHE_BYTES  (256ULL << 20)
#define JOBS_MAX     64

static const char usage[] =
	"usage: judge verify [OPTION]... PACKAGE...\n"
	"Judges every program in submissions/ of problem packages and says whether each gets\n"
	"the verdict that its folder names.  Run as root, it starts what it needs, gives up root\n"
	"before it opens a package, and leaves nothing behind.\n"
	"\n"
	"  --jobs N      programs judged at the same time (number of physical cores)\n"
	"  --json        one JSON object instead of tables\n"
	"  --rules DIR   rules of languages and sandbox (those beside this program)\n"
	"  --user NAME   the user to be while judging (gavel if there is one, else nobody)\n"
	"  --socket DIR  use the sandboxd that has its sockets there; needs no root\n"
	"  --help\n"
	"\n"
	"Exit status: 0 all as expected, 1 not, 2 usage, 3 the judge failed.\n";

enum { OPT_JOBS, OPT_JSON, OPT_RULES, OPT_USER, OPT_SOCKET, OPT_HELP };

static const struct option options[] = {
	{"jobs", required_argument, NULL, OPT_JOBS},
	{"json", no_argument, NULL, OPT_JSON},
	{"rules", required_argument, NULL, OPT_RULES},
	{"user", required_argument, NULL, OPT_USER},
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

struct settings {
	struct verify_host_options host;
	int json, help;
	char **packages;
	size_t n;
};

/* What the packages have in common, in the unprivileged process. */
struct world {
	const struct settings *settings;
	const struct verify_host *host;
	struct languages languages;
	struct store *store;
	struct blob_cache *blobs;
};

/* One package while it is judged. */
struct work {
	struct world *world;
	struct problem package, stored; /* as it is on disk; as a worker gets it */
	const struct language *validator;
	struct verify_package report;
	atomic_size_t next, done; /* submission to take; how many have been judged */
	atomic_int no_sandbox;
};

static int set_option(struct settings *s, int option, char *value)
{
	uint64_t n;

	switch (option) {
	case OPT_JOBS:
		if (doc_value_count(value, &n) < 0 || n < 1 || n > JOBS_MAX) {
			fprintf(stderr, "judge verify: --jobs: expected a number from 1 to %d\n",
				JOBS_MAX);
			return -1;
		}
		s->host.cells = (unsigned)n;
		return 0;
	case OPT_JSON:
		s->json = 1;
		return 0;
	case OPT_RULES:
		s->host.rules = value;
		return 0;
	case OPT_USER:
		s->host.user = value;
		return 0;
	case OPT_SOCKET:
		s->host.socket = value;
		return 0;
	case OPT_HELP:
		s->help = 1;
		return 0;
	default: /* getopt has said what is wrong */
		return -1;
	}
}

static int read_options(struct settings *s, int argc, char **argv)
{
	int option;

	s->host.cells = config_physical_cores();
	if (s->host.cells > JOBS_MAX)
		s->host.cells = JOBS_MAX;
	optind = 1;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread */
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (set_option(s, option, optarg) < 0)
			return -1;
	s->packages = argv + optind;
	s->n = (size_t)(argc - optind);
	if (s->n > 0 || s->help)
		return 0;
	fprintf(stderr, "judge verify: which package?  Expected the folder of one, see --help\n");
	return -1;
}

/* Until it answers; a sandboxd that cannot start ends, which the privileged half notices. */
static int ask_languages(struct world *w, struct err *e)
{
	const struct timespec pause = {0, 50000000};
	int64_t until = io_monotonic_us() + START_MS * 1000LL;

	for (;;) {
		struct sandbox_client *c =
			sandbox_client_open(w->host->program_socket, START_MS, e);
		int rc = c ? probe_languages(c, &w->languages, e) : -1;

		sandbox_client_close(c);
		if (rc == 0)
			return 0;
		if (io_monotonic_us() > until)
			return err_wrap(e, "sandboxd does not answer");
		(void)nanosleep(&pause, NULL);
	}
}

static int open_world(struct world *w, struct err *e)
{
	char rules[64];

	/* the folder may be closed to this user; what is open stays open */
	snprintf(rules, sizeof(rules), "/proc/self/fd/%d/languages", w->host->rules);
	if (languages_load(rules, &w->languages, e) < 0)
		return -1;
	for (size_t i = 0; i < w->languages.nbroken; i++)
		fprintf(stderr, "judge verify: %s\n", w->languages.broken[i].reason);
	if (ask_languages(w, e) < 0)
		return -1;
	w->store = store_open(w->host->store, e);
	if (!w->store)
		return -1;
	w->blobs = blob_cache_new(w->store, CACHE_BYTES);
	return w->blobs ? 0 : err_set(e, "out of memory");
}

static void close_world(struct world *w)
{
	if (w->blobs)
		blob_cache_free(w->blobs);
	if (w->store)
		store_close(w->store);
	languages_release(&w->languages);
}

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
	pthread_t threads[JOBS_MAX];
	size_t n = w->world->settings->host.cells, started = 0;

	while (started < n && pthread_create(&threads[started], NULL, judge_thread, w) == 0)
		started++;
	if (started == 0)
		(void)judge_thread(w);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}

/* Into the store and out again, so that what is judged is what judged would judge. */
static int store_package(struct work *w, const char *dir, struct err *e)
{
	struct jury_builder builder = {w->world->host->jury_socket, &w->world->languages,
				       CELL_WAIT_MS};
	struct store_problem version;
	char hash[PROBLEM_HASH_LEN + 1];
	int changed, rc;

	if (problem_import(w->world->store, dir, jury_build, &builder, hash, &changed, e) < 0 ||
	    store_get_problem(w->world->store, w->package.name, hash, &version, e) < 0)
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
	struct verify_package *r = &w->report;

	if (problem_read(dir, &w->package, e) < 0)
		return e->num == EACCES ? err_wrap(e, "closed to the user that judges (see --user)")
					: -1;
	r->problem = &w->package;
	if (w->package.nsubmissions == 0)
		return err_set(e, "submissions: there is no program to judge");
	r->outcomes = calloc(w->package.nsubmissions, sizeof(*r->outcomes));
	if (!r->outcomes)
		return err_set(e, "out of memory");
	if (store_package(w, dir, e) < 0)
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
	}
	free(w->report.outcomes);
	problem_release(&w->package);
	problem_release(&w->stored);
}

/* One package from folder to report; what to exit with. */
static int verify_one(struct world *world, const char *dir, json_t *json)
{
	struct work w = {.world = world,
			 .package = {.dir = -1},
			 .stored = {.dir = -1},
			 .report = {.dir = dir}};
	struct err e = {0};
	int rc;

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

static int verify_all(struct world *w)
{
	const struct settings *s = w->settings;
	json_t *list = s->json ? json_array() : NULL;
	int worst = VERIFY_OK;

	for (size_t i = 0; i < s->n && worst != VERIFY_FAILED; i++) {
		int rc = verify_one(w, s->packages[i], list);

		worst = rc > worst ? rc : worst;
	}
	if (list) {
		json_t *root = json_pack("{s:b, s:o}", "as_expected", worst == VERIFY_OK,
					 "packages", list);

		json_dumpf(root, stdout, JSON_INDENT(2));
		printf("\n");
		json_decref(root);
	}
	return worst;
}

/* In the unprivileged process. */
static int work(void *arg, const struct verify_host *host)
{
	struct world w = {.settings = arg, .host = host};
	struct err e = {0};
	int rc = VERIFY_FAILED;

	if (open_world(&w, &e) == 0)
		rc = verify_all(&w);
	else
		fprintf(stderr, "judge verify: %s\n", e.msg);
	close_world(&w);
	return rc;
}

int verify_main(int argc, char **argv)
{
	struct settings s = {0};
	struct err e = {0};
	int rc;

	if (read_options(&s, argc, argv) < 0)
		return VERIFY_USAGE;
	if (s.help) {
		fputs(usage, stdout);
		return VERIFY_OK;
	}
	rc = verify_host_run(&s.host, work, &s, &e);
	if (rc >= 0)
		return rc;
	fprintf(stderr, "judge verify: %s\n", e.msg);
	return VERIFY_FAILED;
}
