#include "judge/verify_judge.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "judge/example.h"
#include "judge/inspect.h"
#include "judge/job.h"
#include "judge/jury.h"
#include "judge/measure.h"
#include "judge/problem.h"
#include "judge/script.h"
#include "judge/store.h"
#include "judge/tally.h"
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
	const struct language *validator, *grader;
	struct verify_report report;
	atomic_size_t next, done; /* submission to take; how many have been judged */
	atomic_int no_sandbox;
};

/* Why this submission has no verdict, or a JUDGE_ERROR. */
static void fail(struct verify_outcome *o, int verdict, const struct err *e)
{
	o->verdict = verdict;
	o->state = EXPECT_BROKEN;
	o->message = strdup(e->msg);
}

static char *copy(const char *text)
{
	return text && text[0] ? strdup(text) : NULL;
}

/* One submission while it is judged, for what is to be known before the next test. */
struct look {
	const struct work *w;
	const struct problem_submission *submission;
	const struct language *language;
	struct problem patient;  /* the problem with the limit that it is judged under */
	struct expect_run *runs; /* room for all tests */
};

/*
 * Who is to be too slow gets more time than the limit, to see by how much.  What came out after the limit is graded as if it had
 * been stopped there.
 */
static int was_too_slow(const struct look *l, const Judge__V1__Run *run)
{
	struct job_limits lim = job_limits_of(&l->w->stored, l->language);

	return l->patient.limits.time_us > l->w->stored.limits.time_us && run->usage &&
	       run->verdict != JUDGE__V1__VERDICT__JUDGE_ERROR &&
	       (run->usage->cpu_time_us > lim.cpu_us || run->usage->wall_time_us > lim.wall_us);
}

static int verdict_of(const struct look *l, const Judge__V1__Run *run)
{
	return was_too_slow(l, run) ? JUDGE__V1__VERDICT__TIME_LIMIT_EXCEEDED : (int)run->verdict;
}

static Judge__V1__Verdict regrade(void *arg, const Judge__V1__Run *run)
{
	return (Judge__V1__Verdict)verdict_of(arg, run);
}

/* The tests so far as they count under the limit, and the first of them that decides. */
static const Judge__V1__Run *take_runs(struct look *l, const struct job_result *r, int *verdict)
{
	const Judge__V1__Run *decided = NULL;

	*verdict = r->nruns ? JUDGE__V1__VERDICT__ACCEPTED : (int)r->verdict;
	for (size_t i = 0; i < r->nruns; i++) {
		const Judge__V1__Run *run = r->runs[i];

		l->runs[i] = (struct expect_run){run->name, verdict_of(l, run), run->message};
		if (!decided && l->runs[i].verdict != JUDGE__V1__VERDICT__ACCEPTED) {
			*verdict = l->runs[i].verdict;
			decided = run;
		}
	}
	return decided;
}

static void take_bound(struct verify_outcome *o, const struct look *l, const Judge__V1__Run *run)
{
	const struct expect_rules *rules = &l->submission->rules;
	struct job_limits patient = job_limits_of(&l->patient, l->language);
	uint64_t us = measure_plain_time(l->language, run->usage->cpu_time_us);

	/* It slept: as good as any.  One that computed was starved by others, and its CPU time is what is known. */
	if (run->usage->wall_time_us > patient.wall_us &&
	    run->usage->cpu_time_us < patient.cpu_us / 2)
		us = measure_plain_time(l->language, patient.cpu_us);
	if (expect_bounds(rules, EXPECT_TIME_LOWER, run->name) && us > o->lower_us)
		o->lower_us = us;
	if (expect_bounds(rules, EXPECT_TIME_UPPER, run->name) && us > o->upper_us)
		o->upper_us = us;
	if (o->upper_us && us >= measure_plain_time(l->language, patient.cpu_us))
		o->at_least = 1;
}

static void take_usage(struct verify_outcome *o, const struct look *l, const struct job_result *r)
{
	o->lower_us = o->upper_us = 0;
	o->at_least = 0;
	for (size_t i = 0; i < r->nruns; i++) {
		const Judge__V1__Usage *u = r->runs[i]->usage;

		if (!u)
			continue;
		if (u->cpu_time_us > o->cpu_time_us)
			o->cpu_time_us = u->cpu_time_us;
		if (u->memory_peak_bytes > o->memory_peak_bytes)
			o->memory_peak_bytes = u->memory_peak_bytes;
		take_bound(o, l, r->runs[i]);
	}
}

/* After a failure: while something required has not been seen, or not how slow it is, the next test may show it. */
static int wants_more(void *arg, const struct job_result *so_far)
{
	struct look *l = arg;
	const struct expect_rules *rules = &l->submission->rules;
	struct verify_outcome seen = {.submission = l->submission};
	char why[EXPECT_WHY_MAX];
	int verdict;

	take_runs(l, so_far, &verdict);
	switch (expect_check(rules, l->runs, so_far->nruns, 0, why)) {
	case EXPECT_BROKEN:
		return 0;
	case EXPECT_OPEN:
		return 1;
	default:
		break;
	}
	take_usage(&seen, l, so_far);
	return expect_wants_all(rules) || (seen.upper_us && !seen.at_least);
}

/* What is expected of the score, or of those of groups. */
static enum expect_state check_scores(const struct look *l, struct verify_outcome *o)
{
	size_t n = o->score ? o->score->n_groups : 0;
	struct expect_group *groups = calloc(n + 1, sizeof(*groups));
	enum expect_state state = EXPECT_BROKEN;
	struct score best;

	if (!groups) {
		snprintf(o->why, sizeof(o->why), "out of memory");
		return state;
	}
	for (size_t i = 0; i < n; i++)
		groups[i + 1] = (struct expect_group){o->score->groups[i]->name,
						      o->score->groups[i]->score};
	groups[0] = (struct expect_group){"", o->score ? o->score->score : ""};
	state = expect_check_scores(&l->submission->rules, groups, n + 1,
				    tally_best_score(&l->w->stored, &best) ? &best : NULL, o->why);
	free(groups);
	return state;
}

static void take_result(struct verify_outcome *o, struct look *l, struct job_result *r)
{
	int first;
	const Judge__V1__Run *decided = take_runs(l, r, &first);

	o->verdict = (int)r->verdict;
	if (o->verdict == JUDGE__V1__VERDICT__ACCEPTED)
		decided = NULL; /* what is not accepted does not count against it */
	o->score = ptr_steal(&r->score);
	take_usage(o, l, r);
	o->state = expect_check(&l->submission->rules, l->runs, r->nruns, o->verdict, o->why);
	if (o->state == EXPECT_MET)
		o->state = check_scores(l, o);
	if (o->verdict == JUDGE__V1__VERDICT__COMPILE_ERROR)
		o->message = copy(r->compiler_message);
	if (decided) {
		int slow = was_too_slow(l, decided) &&
			   decided->verdict != JUDGE__V1__VERDICT__TIME_LIMIT_EXCEEDED;

		o->test = copy(decided->name);
		o->reason = copy(slow ? "cpu" : decided->usage ? decided->usage->reason : NULL);
		o->message = slow ? NULL : copy(decided->message);
	}
	if (!o->message)
		o->message = copy(r->message);
	if (r->nruns)
		o->transcript = copy(r->runs[r->nruns - 1]->transcript);
}

static void run_job(struct work *w, struct verify_outcome *o, const struct example *x)
{
	struct look look = {w, o->submission, x->language, w->stored,
			    calloc(w->stored.ncases + 1, sizeof(struct expect_run))};
	struct job_config config = {
		.program_socket = w->world->host->program_socket,
		.jury_socket = w->world->host->jury_socket,
		.blobs = w->world->blobs,
		.compiled = w->world->compiled,
		.host = "verify",
		.problem = &look.patient,
		.validator = w->validator,
		.languages = &w->world->languages,
		.grader = w->grader,
		.transcript_bytes = w->world->transcript_bytes,
		.more = wants_more,
		.more_arg = &look,
		.regrade = regrade,
		.regrade_arg = &look,
	};
	struct job_result result;
	struct err e = {.msg = "out of memory"};
	enum job_end end = JOB_FAULT;

	if (expect_bounds(&o->submission->rules, EXPECT_TIME_UPPER, NULL))
		look.patient.limits.time_us = (uint64_t)((double)w->stored.limits.time_us *
							 w->package.timing.limit_to_tle);
	if (look.runs)
		end = example_judge(x, &config, &result, &e);
	if (end == JOB_DONE) {
		take_result(o, &look, &result);
		job_result_release(&result);
	} else {
		if (end == JOB_NO_SANDBOX)
			w->no_sandbox = 1;
		fail(o, JUDGE__V1__VERDICT__JUDGE_ERROR, &e);
	}
	free(look.runs);
}

static void judge_one(struct work *w, struct verify_outcome *o)
{
	struct example x;
	struct err e = {0};

	if (example_load(&w->world->languages, &w->package, o->submission, &x, &e) < 0) {
		fail(o, 0, &e);
		return;
	}
	o->language = x.language->name;
	run_job(w, o, &x);
	example_release(&x);
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

static int find_program(const struct work *w, const struct problem_program *program,
			const struct language **out, struct err *e)
{
	if (!program->language)
		return 0;
	*out = script_or_rule(&w->world->languages, program->language);
	return *out ? 0 : err_set(e, "the language %s is gone", program->language);
}

/* Into the store and out again, so that what is judged is what judged would judge. */
static int store_package(struct work *w, struct err *e)
{
	struct jury_builder builder = {w->world->host->jury_socket, &w->world->languages,
				       CELL_WAIT_MS, w->world->host->program_socket};
	const struct problem_makers make = {jury_build, measure_time_limit, &builder};
	struct store_problem version;
	int changed, rc;

	if (problem_store(w->world->store, &w->package, &make, &changed, e) < 0)
		return err_wrap(e, "problem %.60s", w->package.name);
	if (store_get_problem(w->world->store, w->package.name, w->package.version, &version, e) <
	    0)
		return -1;
	rc = problem_from_manifest(version.manifest, &w->stored, e);
	store_problem_release(&version);
	w->package.limits.time_us = w->stored.limits.time_us;
	if (rc < 0)
		return rc;
	if (find_program(w, &w->stored.validator, &w->validator, e) < 0)
		return err_wrap(e, "validator");
	return find_program(w, &w->stored.grader, &w->grader, e) < 0 ? err_wrap(e, "grader") : 0;
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

/* The data, by the package's own programs. */
static int inspect(struct work *w, struct err *e)
{
	const struct jury_builder tools = {w->world->host->jury_socket, &w->world->languages,
					   CELL_WAIT_MS, w->world->host->program_socket};
	const struct inspect_job job = {&tools, &w->package, &w->stored, w->validator,
					w->world->blobs};

	if (inspect_package(&job, &w->report.found, e) == 0)
		return 0;
	w->no_sandbox = 1; /* whatever the package has wrong would have been found */
	w->report.n = 0;
	return -1;
}

static void work_release(struct work *w)
{
	for (size_t i = 0; i < w->report.n; i++) {
		free(w->report.outcomes[i].test);
		free(w->report.outcomes[i].reason);
		free(w->report.outcomes[i].message);
		free(w->report.outcomes[i].transcript);
		if (w->report.outcomes[i].score)
			judge__v1__score__free_unpacked(w->report.outcomes[i].score, NULL);
	}
	free(w->report.outcomes);
	inspect_release(&w->report.found);
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

	if (prepare(&w, dir, &e) == 0 && inspect(&w, &e) == 0)
		judge_all(&w);
	else
		w.report.error = e.msg;
	if (json)
		json_array_append_new(json, verify_to_json(&w.report));
	else
		verify_print(&w.report);
	rc = verify_good(&w.report) ? VERIFY_OK : VERIFY_UNEXPECTED;
	if (w.no_sandbox)
		rc = VERIFY_FAILED;
	work_release(&w);
	return rc;
}
