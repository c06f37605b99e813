#include "judge/measure.h"

#include "judge/blob_cache.h"
#include "judge/example.h"
#include "judge/expect.h"
#include "judge/jury.h"
#include "judge/language.h"
#include "judge/problem.h"
#include "judge/script.h"
#include "proto/err.h"
#include "proto/scope.h"

#define CACHE_BYTES (64ULL << 20)

static const char advice[] =
	"write it in seconds into limits.time_limit of problem.yaml (2025-09) or "
	"the file .timelimit (legacy)";

/* While a package is measured. */
struct run {
	const struct jury_builder *tools;
	const struct problem *package;
	struct problem problem; /* the package with a limit that is out of the way */
	struct blob_cache *blobs;
	uint64_t slowest_us;
};

uint64_t measure_plain_time(const struct language *l, uint64_t us)
{
	us -= us < l->run.time_extra_us ? us : l->run.time_extra_us;
	return (uint64_t)((double)us / l->run.time_factor + 0.5);
}

uint64_t measure_limit_for(const struct problem_timing *t, uint64_t slowest_us)
{
	double need = (double)slowest_us * t->ac_to_limit / (double)t->resolution_us;
	uint64_t steps;

	if (need > (double)MEASURE_MAX_US)
		return 0;
	steps = (uint64_t)need;
	steps += (double)steps < need || steps == 0;
	return steps * t->resolution_us <= PROBLEM_TIME_MAX_US ? steps * t->resolution_us : 0;
}

static int every_test(void *arg, const struct job_result *so_far)
{
	(void)arg;
	(void)so_far;
	return 1;
}

static int check_result(const struct problem_submission *s, const struct job_result *r,
			struct err *e)
{
	struct expect_run *runs = calloc(r->nruns + 1, sizeof(*runs));
	char why[EXPECT_WHY_MAX];
	enum expect_state state;

	if (!runs)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < r->nruns; i++)
		runs[i] = (struct expect_run){r->runs[i]->name, (int)r->runs[i]->verdict,
					      r->runs[i]->message};
	state = expect_check(&s->rules, runs, r->nruns, (int)r->verdict, why);
	free(runs);
	return state == EXPECT_MET ? 0 : err_set(e, "%s", why);
}

static int take_times(struct run *m, const struct problem_submission *s, const struct language *l,
		      const struct job_result *r, struct err *e)
{
	if (check_result(s, r, e) < 0)
		return -1;
	for (size_t i = 0; i < r->nruns; i++) {
		const Judge__V1__Run *run = r->runs[i];
		uint64_t us;

		if (!run->usage || !expect_bounds(&s->rules, EXPECT_TIME_LOWER, run->name))
			continue;
		us = measure_plain_time(l, run->usage->cpu_time_us);
		m->slowest_us = us > m->slowest_us ? us : m->slowest_us;
	}
	return 0;
}

static const struct language *language_of(const struct run *m,
					  const struct problem_program *program)
{
	const char *name = program->language;

	return name ? script_or_rule(m->tools->languages, name) : NULL;
}

static int run_one(struct run *m, const struct problem_submission *s, const struct example *x,
		   struct err *e)
{
	struct job_config config = {
		.program_socket = m->tools->program_socket,
		.jury_socket = m->tools->socket,
		.blobs = m->blobs,
		.host = "measure",
		.problem = &m->problem,
		.languages = m->tools->languages,
		.validator = language_of(m, &m->package->validator),
		.grader = language_of(m, &m->package->grader),
		.more = every_test,
	};
	struct job_result r;
	int rc;

	if (example_judge(x, &config, &r, e) != JOB_DONE)
		return -1;
	rc = take_times(m, s, x->language, &r, e);
	job_result_release(&r);
	return rc;
}

static int measure_one(struct run *m, const struct problem_submission *s, struct err *e)
{
	struct example x;
	int rc;

	if (example_load(m->tools->languages, m->package, s, &x, e) < 0)
		return err_wrap(e, "no time limit, and submissions/%.80s cannot be measured",
				s->name);
	rc = run_one(m, s, &x, e);
	example_release(&x);
	return rc < 0 ? err_wrap(e, "no time limit, and submissions/%.80s cannot be measured",
				 s->name)
		      : 0;
}

static int measure_all(struct run *m, struct err *e)
{
	size_t found = 0;

	for (size_t i = 0; i < m->package->nsubmissions; i++) {
		const struct problem_submission *s = &m->package->submissions[i];

		if (!expect_bounds(&s->rules, EXPECT_TIME_LOWER, NULL))
			continue;
		found++;
		if (measure_one(m, s, e) < 0)
			return -1;
	}
	return found ? 0
		     : err_set(e, "no time limit, and no accepted submission to measure: %s",
			       advice);
}

int measure_time_limit(void *arg, struct store *s, struct problem *p, struct err *e)
{
	struct run m = {.tools = arg, .package = p, .problem = *p};
	int rc;

	m.problem.limits.time_us = MEASURE_MAX_US;
	m.blobs = blob_cache_new(s, CACHE_BYTES);
	if (!m.blobs)
		return err_set(e, "out of memory");
	rc = measure_all(&m, e);
	blob_cache_free(m.blobs);
	if (rc < 0)
		return -1;
	p->limits.time_us = measure_limit_for(&p->timing, m.slowest_us);
	return p->limits.time_us
		       ? 0
		       : err_set(e,
				 "no time limit, and %g times the slowest accepted (%.3f s) "
				 "is more than a limit may be: %s",
				 p->timing.ac_to_limit, (double)m.slowest_us / 1e6, advice);
}
