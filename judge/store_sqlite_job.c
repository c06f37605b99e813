#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "judge/store_sqlite.h"
#include "judge/store_sqlite_judgement.h"
#include "judge/store_sqlite_rejudge.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

struct claim {
	const char *worker;
	int64_t lease_us;
	struct store_job *job;
	struct judgement held;
	int was_leased;
	char *reason; /* why it waits again */
};

static int next_job_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct claim *a = arg;
	struct store_job *job = a->job;

	if (judgement_row(row, &a->held, e) < 0)
		return -1;
	a->was_leased = db_get_int(row, 9) != 0;
	a->reason = db_get_text(row, 10, e);
	job->problem = a->reason ? db_get_text(row, 11, e) : NULL;
	job->problem_version = job->problem ? db_get_text(row, 12, e) : NULL;
	job->language = job->problem_version ? db_get_text(row, 13, e) : NULL;
	return job->language ? 0 : -1;
}

static void claim_reset(struct claim *a)
{
	store_job_release(a->job);
	free(a->reason);
	a->reason = NULL;
	a->held = (struct judgement){0};
}

/* Leases the job that next_job_row() found, and says that it begins anew if it does. */
static int claim_take(struct store_sqlite *s, struct claim *a, struct err *e)
{
	struct db *db = &s->writer.db;
	struct judgement *h = &a->held;

	h->attempt++;
	if (db_run(db, SQL_TAKE_JOB,
		   DB_ARGS(db_int(h->judgement), db_text(a->worker), db_int(s->incarnation),
			   db_int(io_monotonic_us() + a->lease_us)),
		   e) < 0 ||
	    db_run(db, SQL_SET_RUNNING, DB_ARGS(db_int(h->judgement), db_int(h->attempt)), e) < 0)
		return -1;
	if (h->attempt == 1)
		return 0;
	return judgement_say_kind(s, h, JUDGE__V1__EVENT__KIND__RESTARTED, a->reason, e);
}

static int claim_fill(struct store_sqlite *s, struct claim *a, struct err *e)
{
	struct store_sqlite_sources sources;
	struct store_job *job = a->job;
	int rc = store_sqlite_sources(&s->writer.db, a->held.submission, &sources, e);

	job->sources = sources.files;
	job->nsources = sources.n;
	memcpy(job->submission, a->held.id, sizeof(job->submission));
	job->judgement = a->held.judgement;
	job->attempt = a->held.attempt;
	job->lost_leases = (uint32_t)a->held.lost_leases;
	job->tests_total = a->held.tests_total;
	return rc;
}

/*
 * A job whose lease ran out is parked first and then found again, as a waiting one; so is the one that is made for a rejudging
 * when nothing else waits.
 */
static int run_claim(struct store_sqlite *s, void *arg, struct err *e)
{
	struct claim *a = arg;

	for (;;) {
		int n;

		claim_reset(a);
		n = db_each(&s->writer.db, SQL_NEXT_JOB, DB_ARGS(db_int(io_monotonic_us())),
			    next_job_row, a, e);
		if (n == 0) {
			n = rejudging_next(&s->writer.db, e);
			if (n > 0)
				continue;
		}
		if (n <= 0)
			return n;
		if (!a->was_leased)
			break;
		if (judgement_lost(s, &a->held, "the worker that had it fell silent", e) < 0)
			return -1;
	}
	return claim_take(s, a, e) < 0 || claim_fill(s, a, e) < 0 ? -1 : 1;
}

int store_sqlite_claim(struct store *s, const char *worker, int64_t lease_us, struct store_job *job,
		       struct err *e)
{
	static const struct writer_verb verb = WRITER_VERB("claim", run_claim);
	struct claim a = {.worker = worker, .lease_us = lease_us, .job = job};
	int rc;

	*job = (struct store_job){0};
	rc = writer_call(&((struct store_sqlite *)s)->writer, &verb, &a, e);
	free(a.reason);
	if (rc != 1)
		store_job_release(job);
	return rc;
}

/* The arguments of the verbs about a claimed job. */
struct job_call {
	const struct store_job *job;
	int64_t lease_us;
	Judge__V1__Event *const *events;
	size_t nevents;
	const struct store_result *result;
	struct judgement_ending end;
	const char *reason;
};

static int job_call(struct store *s, const struct writer_verb *verb, struct job_call *a,
		    struct err *e)
{
	return writer_call(&((struct store_sqlite *)s)->writer, verb, a, e);
}

static int run_renew(struct store_sqlite *s, void *arg, struct err *e)
{
	const struct job_call *a = arg;
	struct judgement h;

	if (judgement_held(&s->writer.db, a->job, &h, e) < 0)
		return -1;
	return db_run(&s->writer.db, SQL_RENEW_JOB,
		      DB_ARGS(db_int(h.judgement), db_int(io_monotonic_us() + a->lease_us)), e) < 0
		       ? -1
		       : 0;
}

int store_sqlite_renew(struct store *s, const struct store_job *job, int64_t lease_us,
		       struct err *e)
{
	static const struct writer_verb verb = WRITER_VERB("renew", run_renew);
	struct job_call a = {.job = job, .lease_us = lease_us};

	return job_call(s, &verb, &a, e);
}

static int run_append(struct store_sqlite *s, void *arg, struct err *e)
{
	const struct job_call *a = arg;
	struct judgement h;

	if (judgement_held(&s->writer.db, a->job, &h, e) < 0)
		return -1;
	for (size_t i = 0; i < a->nevents; i++)
		if (judgement_say(s, &h, a->events[i], e) < 0)
			return -1;
	return 0;
}

int store_sqlite_append_events(struct store *s, const struct store_job *job,
			       Judge__V1__Event *const *events, size_t n, struct err *e)
{
	static const struct writer_verb verb = WRITER_VERB("append", run_append);
	struct job_call a = {.job = job, .events = events, .nevents = n};

	for (size_t i = 0; i < n; i++)
		if (events[i]->kind < JUDGE__V1__EVENT__KIND__COMPILING ||
		    events[i]->kind > JUDGE__V1__EVENT__KIND__TEST)
			return store_refuse(e, EINVAL,
					    "events[%zu].kind: the store writes these itself", i);
	return job_call(s, &verb, &a, e);
}

static int put_runs(struct db *db, const struct judgement *h, const struct store_result *r,
		    struct err *e)
{
	for (size_t i = 0; i < r->nruns; i++) {
		size_t len;
		AUTO_FREE uint8_t *body = db_pack(&r->runs[i]->base, &len, e);

		if (!body ||
		    db_run(db, SQL_PUT_RUN,
			   DB_ARGS(db_int(h->judgement), db_int((int64_t)i), db_blob(body, len)),
			   e) < 0)
			return -1;
	}
	return 0;
}

static int run_finish(struct store_sqlite *s, void *arg, struct err *e)
{
	const struct job_call *a = arg;
	struct judgement h;

	if (judgement_held(&s->writer.db, a->job, &h, e) < 0 ||
	    put_runs(&s->writer.db, &h, a->result, e) < 0)
		return -1;
	return judgement_end(s, &h, &a->end, e);
}

int store_sqlite_finish(struct store *s, const struct store_job *job, const struct store_result *r,
			struct err *e)
{
	static const struct writer_verb verb = WRITER_VERB("finish", run_finish);
	struct job_call a = {.job = job, .result = r};
	AUTO_FREE uint8_t *evidence = NULL;

	if (r->verdict < JUDGE__V1__VERDICT__ACCEPTED ||
	    r->verdict > JUDGE__V1__VERDICT__JUDGE_ERROR)
		return store_refuse(e, EINVAL, "verdict: %d is none", (int)r->verdict);
	if (r->evidence) {
		evidence = db_pack(&r->evidence->base, &a.end.evidence_len, e);
		if (!evidence)
			return -1;
	}
	a.end.state = JUDGE__V1__STATE__FINISHED;
	a.end.verdict = r->verdict;
	a.end.message = r->message ? r->message : "";
	a.end.compiler_message = r->compiler_message ? r->compiler_message : "";
	a.end.evidence = evidence;
	a.end.score = r->score;
	for (size_t i = 0; i < r->nruns; i++) {
		const Judge__V1__Usage *u = r->runs[i]->usage;

		if (u && u->cpu_time_us > a.end.cpu_time_us)
			a.end.cpu_time_us = u->cpu_time_us;
		if (u && u->memory_peak_bytes > a.end.memory_peak_bytes)
			a.end.memory_peak_bytes = u->memory_peak_bytes;
	}
	return job_call(s, &verb, &a, e);
}

static int run_hand_back(struct store_sqlite *s, void *arg, struct err *e)
{
	const struct job_call *a = arg;
	struct judgement h;

	if (judgement_held(&s->writer.db, a->job, &h, e) < 0)
		return -1;
	return judgement_park(s, &h, "the judge was stopped", e);
}

int store_sqlite_hand_back(struct store *s, const struct store_job *job, struct err *e)
{
	static const struct writer_verb verb = WRITER_VERB("hand_back", run_hand_back);
	struct job_call a = {.job = job};

	return job_call(s, &verb, &a, e);
}

static int run_fault(struct store_sqlite *s, void *arg, struct err *e)
{
	const struct job_call *a = arg;
	struct judgement h;

	if (judgement_held(&s->writer.db, a->job, &h, e) < 0)
		return -1;
	h.faults++;
	if (h.faults < STORE_MAX_FAULTS)
		return judgement_park(s, &h, a->reason, e);
	return judgement_break(s, &h, a->reason, e);
}

int store_sqlite_fault(struct store *s, const struct store_job *job, const char *reason,
		       struct err *e)
{
	static const struct writer_verb verb = WRITER_VERB("fault", run_fault);
	struct job_call a = {.job = job, .reason = reason};

	return job_call(s, &verb, &a, e);
}
