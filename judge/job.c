#include "judge/job.h"

#include <errno.h>

#include "judge/answers.h"
#include "judge/failpoint.h"
#include "judge/grader.h"
#include "judge/jury.h"
#include "judge/language.h"
#include "judge/problem.h"
#include "judge/sandbox_client.h"
#include "judge/tally.h"
#include "judge/text.h"
#include "judge/trial.h"
#include "proto/err.h"
#include "proto/scope.h"

#define CONNECT_MS   3000    /* then look whether the job is still wanted, and try again */
#define CELL_WAIT_MS 3600000 /* others are judged meanwhile */

void job_init(struct job *j, const struct job_config *config)
{
	*j = (struct job){.config = config};
	pthread_mutex_init(&j->lock, NULL);
}

void job_release(struct job *j)
{
	pthread_mutex_destroy(&j->lock);
	supply_release(&j->supply);
}

void job_abort(struct job *j)
{
	pthread_mutex_lock(&j->lock);
	j->aborted = 1;
	if (j->program)
		sandbox_client_abort(j->program);
	if (j->jury)
		sandbox_client_abort(j->jury);
	pthread_mutex_unlock(&j->lock);
}

static int is_aborted(struct job *j)
{
	int aborted;

	pthread_mutex_lock(&j->lock);
	aborted = j->aborted;
	pthread_mutex_unlock(&j->lock);
	return aborted;
}

struct job_limits job_limits_of(const struct problem *p, const struct language *l)
{
	struct job_limits out = {
		.cpu_us = (uint64_t)((double)p->limits.time_us * l->run.time_factor + 0.5) +
			  l->run.time_extra_us,
		.memory_bytes = p->limits.memory_bytes + l->run.memory_extra_bytes,
		.output_bytes = p->limits.output_bytes,
	};

	out.wall_us = 2 * out.cpu_us + 1000000;
	return out;
}

/* Makes the client known to job_abort(), or NULL not known any more. */
static struct sandbox_client *set_client(struct job *j, struct sandbox_client **slot,
					 struct sandbox_client *c)
{
	struct sandbox_client *old;

	pthread_mutex_lock(&j->lock);
	old = *slot;
	*slot = c;
	if (c && j->aborted)
		sandbox_client_abort(c);
	pthread_mutex_unlock(&j->lock);
	return old;
}

static void drop_cell(struct job *j, struct sandbox_client **slot)
{
	sandbox_client_close(set_client(j, slot, NULL));
}

/* Known to job_abort() before it is a cell: the waiting may be long. */
static int take_cell(struct job *j, struct sandbox_client **slot, const char *socket, struct err *e)
{
	struct sandbox_client *c;

	do {
		if (is_aborted(j))
			return err_set(e, "stopped while it waited for a cell");
		c = sandbox_client_connect(socket, CONNECT_MS, e);
	} while (!c && e->num == ETIMEDOUT);
	if (c) {
		set_client(j, slot, c);
		if (sandbox_client_await(c, CELL_WAIT_MS, e) == 0)
			return 0;
		err_wrap(e, "%s", socket);
		drop_cell(j, slot);
	}
	j->no_sandbox = 1;
	return -1;
}

static int tell(struct job *j, Judge__V1__Event__Kind kind, Judge__V1__Run *run, char *message,
		struct err *e)
{
	Judge__V1__Event event = JUDGE__V1__EVENT__INIT;

	if (!j->config->event)
		return 0;
	event.kind = kind;
	event.run = run;
	if (message)
		event.message = message;
	if (j->config->event(j->config->event_arg, &event, e) == 0)
		return 0;
	job_abort(j);
	return -1;
}

static int compile_in(struct job *j, struct compile_result *r, struct err *e)
{
	const struct job_config *c = j->config;
	struct compile_job job = {
		.language = c->language,
		.sources = c->sources,
		.nsources = c->nsources,
		.program_memory_bytes = c->problem->limits.memory_bytes,
		.time_us = c->problem->limits.compilation_time_us,
		.memory_bytes = c->problem->limits.compilation_memory_bytes,
		.cache = c->compiled,
	};

	return compile_program(j->program, &job, r, e);
}

/* A cell again for a job that had one: nothing is told, and what compiled once must compile again. */
static int renew_program(struct job *j, struct err *e)
{
	struct compile_result r = {.output = NULL};
	int rc;

	if (j->program || j->config->problem->kind & PROBLEM_SUBMIT_ANSWER)
		return 0;
	if (take_cell(j, &j->program, j->config->program_socket, e) < 0)
		return -1;
	rc = compile_in(j, &r, e);
	if (rc == 0 && r.status == COMPILE_FAILED)
		rc = err_set(e, "the program compiled once and then, in another cell, did not");
	compile_result_release(&r);
	return rc;
}

/* A cell of the jury with this program of the problem in it. */
static int renew_jury(struct job *j, const struct problem_program *program, struct err *e)
{
	/* Given up for good reason before. */
	if (j->jury && sandbox_client_lost(j->jury))
		drop_cell(j, &j->jury);
	if (j->jury && j->loaded == program)
		return 0;
	if (!j->jury && take_cell(j, &j->jury, j->config->jury_socket, e) < 0)
		return -1;
	j->loaded = NULL;
	if (jury_load(j->jury, program, j->config->blobs, e) < 0)
		return -1;
	j->loaded = program;
	return 0;
}

/* After a failure: 1 if it was a cell that died and the work is worth another try in a new one. */
static int recover(struct job *j)
{
	struct sandbox_client **slots[] = {&j->program, &j->jury};
	int lost = 0;

	for (size_t i = 0; i < ARRAY_LEN(slots); i++) {
		if (!*slots[i] || !sandbox_client_lost(*slots[i]))
			continue;
		drop_cell(j, slots[i]);
		lost = 1;
	}
	return lost && !is_aborted(j) && ++j->losses < JOB_LOSSES_MAX;
}

/* The first compilation, told to whoever watches. */
static int compile_step(struct job *j, struct compile_result *r, struct err *e)
{
	int rc;

	do {
		if (!j->program && take_cell(j, &j->program, j->config->program_socket, e) < 0)
			return -1;
		rc = compile_in(j, r, e);
		if (rc < 0)
			compile_result_release(r);
	} while (rc < 0 && recover(j));
	return rc;
}

static int try_test(struct job *j, struct trial *t, struct err *e)
{
	if (renew_program(j, e) < 0)
		return -1;
	if (j->config->validator && renew_jury(j, &j->config->problem->validator, e) < 0)
		return -1;
	return trial_run(t, &(struct trial_cells){j->config, j->program, j->jury}, e);
}

/* A tally_grader; the caller asks again if a cell died. */
static int ask_grader(void *arg, const struct problem_group *g, const char *results,
		      struct tally_result *out, struct err *e)
{
	struct job *j = arg;
	const struct problem *p = j->config->problem;

	if (renew_jury(j, &p->grader, e) < 0)
		return -1;
	return grader_run(j->jury, p, j->config->grader, g, results, out, e);
}

/* Adds a test to its group.  Its score may be an error that nobody but the tally can see. */
static int count_test(struct job *j, struct tally *tally, const struct trial *t,
		      Judge__V1__Run *run, struct err *e)
{
	const struct job_config *c = j->config;
	struct tally_test test = {
		.verdict = c->regrade ? c->regrade(c->regrade_arg, run) : run->verdict,
		.said = t->said,
		.score_file = t->score,
		.multiplier_file = t->multiplier,
	};
	struct tally_result r;

	tally_add(tally, &test, &r);
	return trial_rate(run, &r, e);
}

/* tally: NULL for a test that does not count. */
static int judge_test(struct job *j, size_t index, struct tally *tally, struct job_result *out,
		      struct err *e)
{
	struct trial t = {.test = &j->config->problem->cases[index],
			  .report = {.stdout_fd = -1, .stderr_fd = -1}};
	Judge__V1__Run *run;
	int rc = 0;

	FAILPOINT("run.before");
	while (try_test(j, &t, e) < 0) {
		trial_release(&t);
		if (!recover(j))
			return err_wrap(e, "test %s", t.test->name);
	}
	FAILPOINT("run.after");
	run = trial_result(&t, index, j->config->problem->groups[t.test->group].name);
	if (run)
		out->runs[out->nruns++] = run;
	if (run && tally)
		rc = count_test(j, tally, &t, run, e);
	trial_release(&t);
	if (!run)
		return err_set(e, "out of memory");
	return rc < 0 ? -1 : tell(j, JUDGE__V1__EVENT__KIND__TEST, run, NULL, e);
}

static int is_broken(const struct job_result *out)
{
	return out->nruns > 0 &&
	       out->runs[out->nruns - 1]->verdict == JUDGE__V1__VERDICT__JUDGE_ERROR;
}

static int wants_more(const struct job *j, const struct job_result *so_far)
{
	return j->config->more && j->config->more(j->config->more_arg, so_far);
}

/* The next test that counts, or all of them if there is none; graders are asked meanwhile. */
static int next_test(struct job *j, struct tally *tally, size_t *next, struct err *e)
{
	int rc;

	*next = j->config->problem->ncases;
	do
		rc = tally_next(tally, next, e);
	while (rc < 0 && recover(j));
	return rc;
}

/* Those that count, in order, and between them those that are wanted all the same. */
static int judge_counted(struct job *j, struct tally *tally, struct job_result *out, struct err *e)
{
	size_t at = 0, next;
	int rc;

	while ((rc = next_test(j, tally, &next, e)) >= 0 && !is_broken(out)) {
		for (; at < next && !is_broken(out) && wants_more(j, out); at++)
			if (judge_test(j, at, NULL, out, e) < 0)
				return -1;
		if (rc == 0 || is_broken(out))
			break;
		if (judge_test(j, next, tally, out, e) < 0)
			return -1;
		at = next + 1;
	}
	return rc;
}

static int conclude(const struct tally *tally, struct job_result *out, struct err *e)
{
	const struct tally_result *r = tally_group(tally, 0);

	if (tally_report(tally, &out->score, e) < 0)
		return -1;
	out->verdict = r->verdict;
	if (r->verdict == JUDGE__V1__VERDICT__JUDGE_ERROR && r->message[0])
		out->message = text_copy(r->message);
	if (!is_broken(out))
		return 0;
	out->verdict = JUDGE__V1__VERDICT__JUDGE_ERROR;
	free(out->message);
	out->message = text_copy(out->runs[out->nruns - 1]->message);
	return 0;
}

static int judge_tests(struct job *j, struct job_result *out, struct err *e)
{
	const struct problem *p = j->config->problem;
	struct tally *tally = tally_new(p, ask_grader, j);
	int rc;

	out->runs = calloc(p->ncases + 1, sizeof(Judge__V1__Run *));
	if (tally && out->runs)
		rc = judge_counted(j, tally, out, e) < 0 ? -1 : conclude(tally, out, e);
	else
		rc = err_set(e, "out of memory");
	tally_free(tally);
	return rc;
}

static Judge__V1__Evidence *evidence_of(const struct job *j, int cached)
{
	const struct job_config *c = j->config;
	struct job_limits lim = job_limits_of(c->problem, c->language);
	Judge__V1__Evidence *v = malloc(sizeof(*v));

	if (!v)
		return NULL;
	judge__v1__evidence__init(v);
	v->compiler_version = text_copy(c->language->found);
	v->language_rule_hash = text_copy(c->language->hash);
	v->sandbox_rules_hash =
		text_copy(j->program ? sandbox_client_rules_hash(j->program) : NULL);
	v->host = text_copy(c->host);
	v->cpu_limit_us = lim.cpu_us;
	v->wall_limit_us = lim.wall_us;
	v->memory_limit_bytes = lim.memory_bytes;
	v->output_limit_bytes = lim.output_bytes;
	v->program_cached = cached;
	return v;
}

/* Nothing to compile and nothing to run: the files have only to be those of tests. */
static int judge_answers(struct job *j, struct job_result *out, struct err *e)
{
	const struct job_config *c = j->config;
	char why[512] = "";
	int fit = answers_fit(c->problem, c->sources, c->nsources, why, sizeof(why));

	out->evidence = evidence_of(j, 0);
	out->compiler_message = text_copy(why);
	if (tell(j, JUDGE__V1__EVENT__KIND__COMPILED, NULL, out->compiler_message, e) < 0)
		return -1;
	if (fit)
		return judge_tests(j, out, e);
	out->verdict = JUDGE__V1__VERDICT__COMPILE_ERROR;
	return 0;
}

static int judge(struct job *j, struct job_result *out, struct err *e)
{
	struct compile_result r = {.output = NULL};
	enum compile_status status;
	int cached;

	/* The program's cell first, the jury's later: nobody waits in a circle. */
	if (take_cell(j, &j->program, j->config->program_socket, e) < 0 ||
	    tell(j, JUDGE__V1__EVENT__KIND__COMPILING, NULL, NULL, e) < 0)
		return -1;
	FAILPOINT("compile.before");
	if (compile_step(j, &r, e) < 0)
		return err_wrap(e, "compile");
	FAILPOINT("compile.after");
	status = r.status;
	cached = r.cached;
	out->compiler_message = ptr_steal(&r.output);
	compile_result_release(&r);
	out->evidence = evidence_of(j, cached);
	if (tell(j, JUDGE__V1__EVENT__KIND__COMPILED, NULL, out->compiler_message, e) < 0)
		return -1;
	if (status == COMPILE_OK)
		return judge_tests(j, out, e);
	out->verdict = JUDGE__V1__VERDICT__COMPILE_ERROR;
	return 0;
}

/* The program is compiled, and found its beginning in, with the files that the problem gives. */
static int add_supply(struct job *j, struct err *e)
{
	const struct job_config *c = j->config;

	if (c->problem->nincludes == 0 || c->problem->kind & PROBLEM_SUBMIT_ANSWER)
		return 0;
	if (supply_sources(c->problem, c->language, c->blobs, c->sources, c->nsources, &j->supply,
			   e) < 0)
		return -1;
	j->own = *c;
	j->own.sources = j->supply.sources;
	j->own.nsources = j->supply.nsources;
	j->config = &j->own;
	return 0;
}

enum job_end job_run(struct job *j, struct job_result *out, struct err *e)
{
	int rc;

	*out = (struct job_result){.nruns = 0};
	rc = add_supply(j, e);
	if (rc == 0)
		rc = j->config->problem->kind & PROBLEM_SUBMIT_ANSWER ? judge_answers(j, out, e)
								      : judge(j, out, e);
	drop_cell(j, &j->jury);
	drop_cell(j, &j->program);
	if (rc == 0)
		return JOB_DONE;
	job_result_release(out);
	if (is_aborted(j))
		return JOB_STOPPED;
	return j->no_sandbox ? JOB_NO_SANDBOX : JOB_FAULT;
}

void job_result_release(struct job_result *r)
{
	for (size_t i = 0; i < r->nruns; i++)
		judge__v1__run__free_unpacked(r->runs[i], NULL);
	free(r->runs);
	if (r->score)
		judge__v1__score__free_unpacked(r->score, NULL);
	free(r->message);
	free(r->compiler_message);
	if (r->evidence)
		judge__v1__evidence__free_unpacked(r->evidence, NULL);
	*r = (struct job_result){.nruns = 0};
}
