#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "judge/hash.h"
#include "judge/store_sqlite.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

/* A judgement as the verbs of a worker need it: a row of HELD_COLUMNS. */
struct held {
	int64_t submission; /* its number */
	char id[STORE_ID_LEN + 1];
	uint32_t tests_total;
	int64_t judgement;
	uint32_t attempt;
	int64_t state;
	int64_t faults, lost_leases;
};

static int held_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct held *h = arg;
	AUTO_FREE char *id = db_get_text(row, 1, e);

	if (!id)
		return -1;
	h->submission = db_get_int(row, 0);
	memcpy(h->id, id, strnlen(id, STORE_ID_LEN));
	h->tests_total = (uint32_t)db_get_int(row, 2);
	h->judgement = db_get_int(row, 3);
	h->attempt = (uint32_t)db_get_int(row, 4);
	h->state = db_get_int(row, 5);
	h->faults = db_get_int(row, 6);
	h->lost_leases = db_get_int(row, 7);
	return 0;
}

/* The judgement of this attempt, if a worker holds it by right. */
static int held_find(struct db *db, const struct store_job *job, struct held *h, struct err *e)
{
	int n;

	*h = (struct held){0};
	n = db_each(db, SQL_HELD, DB_ARGS(db_int(job->judgement), db_int(job->attempt)), held_row,
		    h, e);
	if (n == 0)
		return store_refuse(e, ESTALE,
				    "attempt %u of submission %s is not the current one any more",
				    job->attempt, job->submission);
	return n < 0 ? -1 : 0;
}

/* Serializes a message into heap memory that the caller frees. */
static uint8_t *packed(const ProtobufCMessage *message, size_t *len, struct err *e)
{
	uint8_t *bytes;

	*len = protobuf_c_message_get_packed_size(message);
	bytes = malloc(*len + 1);
	if (bytes)
		(void)protobuf_c_message_pack(message, bytes);
	else
		(void)err_sys(e, "store: %zu bytes", *len);
	return bytes;
}

static int last_seq_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	(void)e;
	*(int64_t *)arg = db_get_int(row, 0);
	return 0;
}

/* Appends one event, with the next number, and tells the watchers. */
static int event_put(struct store_sqlite *s, const struct held *h, const Judge__V1__Event *given,
		     struct err *e)
{
	struct db *db = &s->writer.db;
	Judge__V1__Event event = *given;
	int64_t last = 0;
	size_t len;

	if (db_each(db, SQL_LAST_SEQ, DB_ARGS(db_int(h->submission)), last_seq_row, &last, e) < 0)
		return -1;
	event.seq = (uint64_t)last + 1;
	event.at_us = io_realtime_us();
	event.attempt = h->attempt;
	event.tests_total = h->tests_total;
	AUTO_FREE uint8_t *body = packed(&event.base, &len, e);
	if (!body || db_run(db, SQL_PUT_EVENT,
			    DB_ARGS(db_int(h->submission), db_int(last + 1), db_int(h->judgement),
				    db_int(h->attempt), db_int(event.kind), db_blob(body, len)),
			    e) < 0)
		return -1;
	return writer_tell(&s->writer, STORE_EVENTS, h->id, e);
}

static int event_put_kind(struct store_sqlite *s, const struct held *h, Judge__V1__Event__Kind kind,
			  const char *message, struct err *e)
{
	Judge__V1__Event event = JUDGE__V1__EVENT__INIT;

	event.kind = kind;
	event.message = (char *)message;
	return event_put(s, h, &event, e);
}

/* How a judgement ends, and with it its job.  No second end is possible: see the schema. */
struct ending {
	Judge__V1__State state;
	Judge__V1__Verdict verdict;
	const char *message, *compiler_message;
	const uint8_t *evidence;
	size_t evidence_len;
	uint64_t cpu_time_us, memory_peak_bytes;
};

static int judgement_end(struct store_sqlite *s, const struct held *h, const struct ending *end,
			 struct err *e)
{
	struct db *db = &s->writer.db;
	Judge__V1__Event event = JUDGE__V1__EVENT__INIT;

	event.kind = end->state == JUDGE__V1__STATE__FINISHED ? JUDGE__V1__EVENT__KIND__FINISHED
							      : JUDGE__V1__EVENT__KIND__CANCELLED;
	event.verdict = end->verdict;
	event.message = (char *)end->message;
	if (db_run(db, SQL_DROP_JOB, DB_ARGS(db_int(h->judgement)), e) < 0 ||
	    db_run(db, SQL_END_JUDGEMENT,
		   DB_ARGS(db_int(h->judgement), db_int(end->state), db_int(end->verdict),
			   db_text(end->message), db_text(end->compiler_message),
			   db_blob(end->evidence, end->evidence_len),
			   db_int((int64_t)end->cpu_time_us),
			   db_int((int64_t)end->memory_peak_bytes), db_int(io_realtime_us())),
		   e) < 0)
		return -1;
	return event_put(s, h, &event, e);
}

static int judgement_break(struct store_sqlite *s, const struct held *h, const char *reason,
			   struct err *e)
{
	const struct ending end = {
		.state = JUDGE__V1__STATE__FINISHED,
		.verdict = JUDGE__V1__VERDICT__JUDGE_ERROR,
		.message = reason,
		.compiler_message = "",
	};

	return judgement_end(s, h, &end, e);
}

/* Puts the job back among those that wait; its faults and lost leases are h's. */
static int job_park(struct store_sqlite *s, const struct held *h, const char *reason, struct err *e)
{
	struct db *db = &s->writer.db;

	if (db_run(db, SQL_PARK_JOB,
		   DB_ARGS(db_int(h->judgement), db_int(h->faults), db_int(h->lost_leases),
			   db_text(reason)),
		   e) < 0 ||
	    db_run(db, SQL_SET_QUEUED, DB_ARGS(db_int(h->judgement)), e) < 0)
		return -1;
	return writer_tell(&s->writer, STORE_QUEUED, h->id, e);
}

/* Counts a lost lease.  Returns 1 when that was the last one allowed and the judgement has ended by it. */
static int lease_lost(struct store_sqlite *s, struct held *h, const char *reason, struct err *e)
{
	h->lost_leases++;
	if (h->lost_leases < STORE_MAX_LOST_LEASES)
		return job_park(s, h, reason, e);
	return judgement_break(s, h, "the judge lost its worker too often while judging this", e) <
			       0
		       ? -1
		       : 1;
}

static int store_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct store_sqlite *s = arg;
	size_t len = 0;
	AUTO_FREE char *key = db_get_blob(row, 0, &len, e);

	if (!key)
		return -1;
	if (len != STORE_KEY_LEN)
		return store_refuse(e, EIO, "the key of the store has %zu bytes", len);
	memcpy(s->key, key, STORE_KEY_LEN);
	s->incarnation = db_get_int(row, 1);
	return 0;
}

static int run_begin(struct store_sqlite *s, void *arg, struct err *e)
{
	struct db *db = &s->writer.db;
	uint8_t key[STORE_KEY_LEN];
	struct held h = {0};
	int n;

	(void)arg;
	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return err_sys(e, "getrandom");
	if (db_run(db, SQL_PUT_STORE, DB_ARGS(db_blob(key, sizeof(key))), e) < 0 ||
	    db_run(db, SQL_NEXT_INCARNATION, DB_NONE, e) < 0 ||
	    db_each(db, SQL_STORE, DB_NONE, store_row, s, e) < 0)
		return -1;
	while ((n = db_each(db, SQL_NEXT_ORPHAN, DB_ARGS(db_int(s->incarnation)), held_row, &h,
			    e)) > 0)
		if (lease_lost(s, &h, "the judge was restarted", e) < 0)
			return -1;
	return n;
}

int store_sqlite_begin(struct store_sqlite *s, struct err *e)
{
	static const struct writer_verb verb = WRITER_VERB("open", run_begin);

	return writer_call(&s->writer, &verb, NULL, e);
}

struct put_blob {
	const void *data;
	size_t len;
	const char *hash;
};

static int run_put_blob(struct store_sqlite *s, void *arg, struct err *e)
{
	const struct put_blob *a = arg;

	return db_run(&s->writer.db, SQL_PUT_BLOB,
		      DB_ARGS(db_text(a->hash), db_blob(a->len ? a->data : "", a->len)), e) < 0
		       ? -1
		       : 0;
}

int store_sqlite_put_blob(struct store *s, const void *data, size_t len, char *hash, struct err *e)
{
	static const struct writer_verb verb = WRITER_VERB("put_blob", run_put_blob);
	struct put_blob a = {data, len, hash};

	if (hash_bytes(data, len, hash, e) < 0)
		return -1;
	return writer_call(&((struct store_sqlite *)s)->writer, &verb, &a, e);
}

struct add_problem {
	const struct store_problem *problem;
	const uint8_t *summary;
	size_t summary_len;
};

static int run_add_problem(struct store_sqlite *s, void *arg, struct err *e)
{
	const struct add_problem *a = arg;
	const struct store_problem *p = a->problem;

	if (db_run(&s->writer.db, SQL_PUT_VERSION,
		   DB_ARGS(db_text(p->name), db_text(p->version), db_text(p->title),
			   db_text(p->manifest), db_blob(a->summary, a->summary_len),
			   db_int(io_realtime_us())),
		   e) < 0 ||
	    db_run(&s->writer.db, SQL_PUT_PROBLEM, DB_ARGS(db_text(p->name), db_text(p->version)),
		   e) < 0)
		return -1;
	return 0;
}

int store_sqlite_add_problem(struct store *s, const struct store_problem *p, struct err *e)
{
	static const struct writer_verb verb = WRITER_VERB("add_problem", run_add_problem);
	struct add_problem a = {.problem = p};
	AUTO_FREE uint8_t *summary = packed(&p->summary->base, &a.summary_len, e);

	if (!summary)
		return -1;
	a.summary = summary;
	return writer_call(&((struct store_sqlite *)s)->writer, &verb, &a, e);
}

struct submit {
	const struct store_submission *sub;
	const char *request_id; /* NULL: none */
	char content[STORE_HASH_LEN + 1];
	char (*hashes)[STORE_HASH_LEN + 1]; /* of the sources */
	char new_id[STORE_ID_LEN + 1];
	char id[STORE_ID_LEN + 1]; /* the answer */
	int existed;
};

/* Fills id when the request is known with the same content. */
static int request_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct submit *a = arg;
	AUTO_FREE char *id = db_get_text(row, 0, e);
	AUTO_FREE char *content = id ? db_get_text(row, 1, e) : NULL;

	if (!content)
		return -1;
	if (strcmp(content, a->content) != 0)
		return store_refuse(e, EEXIST,
				    "'%.128s' was used for another submission with other content",
				    a->request_id);
	memcpy(a->id, id, strnlen(id, STORE_ID_LEN));
	return 0;
}

static int counts_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	(void)e;
	*(int64_t *)arg = db_get_int(row, 0);
	return 0;
}

/* Whether there is room in the queue, and a problem to judge by. */
static int submit_allowed(struct db *db, const struct store_submission *sub, struct err *e)
{
	int64_t queued = 0;
	int n;

	n = db_each(db, SQL_HAS_VERSION,
		    DB_ARGS(db_text(sub->problem), db_text(sub->problem_version)), NULL, NULL, e);
	if (n == 0)
		return store_refuse(e, ENOENT, "no problem '%.100s' of version '%.64s'",
				    sub->problem, sub->problem_version);
	if (n < 0 ||
	    (sub->max_queued && db_each(db, SQL_COUNTS, DB_NONE, counts_row, &queued, e) < 0))
		return -1;
	if (sub->max_queued && queued >= sub->max_queued)
		return store_refuse(e, ENOSPC,
				    "%lld submissions are waiting already, the limit is %u",
				    (long long)queued, sub->max_queued);
	return 0;
}

static int submit_sources(struct db *db, const struct submit *a, int64_t submission, struct err *e)
{
	for (size_t i = 0; i < a->sub->nsources; i++) {
		const Judge__V1__SourceFile *f = a->sub->sources[i];
		const void *data = f->content.len ? f->content.data : (const void *)"";

		if (db_run(db, SQL_PUT_BLOB,
			   DB_ARGS(db_text(a->hashes[i]), db_blob(data, f->content.len)), e) < 0 ||
		    db_run(db, SQL_PUT_SOURCE,
			   DB_ARGS(db_int(submission), db_int((int64_t)i), db_text(f->name),
				   db_text(a->hashes[i])),
			   e) < 0)
			return -1;
	}
	return 0;
}

static int submit_store(struct store_sqlite *s, const struct submit *a, struct err *e)
{
	struct db *db = &s->writer.db;
	const struct store_submission *sub = a->sub;
	struct held h = {.tests_total = sub->tests_total};

	memcpy(h.id, a->new_id, sizeof(h.id));
	if (db_run(db, SQL_PUT_SUBMISSION,
		   DB_ARGS(db_text(a->new_id), db_text(sub->problem), db_text(sub->problem_version),
			   db_text(sub->language), db_text(sub->author ? sub->author : ""),
			   db_text(a->request_id), db_text(a->content), db_int(sub->tests_total),
			   db_int(io_realtime_us())),
		   e) < 0)
		return -1;
	h.submission = db_last_id(db);
	if (submit_sources(db, a, h.submission, e) < 0 ||
	    db_run(db, SQL_PUT_JUDGEMENT, DB_ARGS(db_int(h.submission)), e) < 0)
		return -1;
	h.judgement = db_last_id(db);
	if (db_run(db, SQL_PUT_JOB, DB_ARGS(db_int(h.judgement)), e) < 0 ||
	    event_put_kind(s, &h, JUDGE__V1__EVENT__KIND__QUEUED, "", e) < 0)
		return -1;
	return writer_tell(&s->writer, STORE_QUEUED, h.id, e);
}

static int run_submit(struct store_sqlite *s, void *arg, struct err *e)
{
	struct submit *a = arg;
	struct db *db = &s->writer.db;
	int known = 0;

	if (a->request_id)
		known = db_each(db, SQL_REQUEST, DB_ARGS(db_text(a->request_id)), request_row, a,
				e);
	if (known < 0)
		return -1;
	a->existed = known;
	if (known)
		return 0;
	if (submit_allowed(db, a->sub, e) < 0 || submit_store(s, a, e) < 0)
		return -1;
	memcpy(a->id, a->new_id, sizeof(a->new_id));
	return 0;
}

int store_sqlite_submit(struct store *s, const struct store_submission *sub, char *id, int *existed,
			struct err *e)
{
	static const struct writer_verb verb = WRITER_VERB("submit", run_submit);
	struct submit a = {.sub = sub};
	AUTO_FREE void *hashes = calloc(sub->nsources + 1, sizeof(*a.hashes));

	if (!hashes)
		return err_sys(e, "store: submit");
	a.hashes = hashes;
	if (sub->request_id && *sub->request_id)
		a.request_id = sub->request_id;
	if (store_make_id(a.new_id, e) < 0 || store_hash_content(sub, a.content, e) < 0)
		return -1;
	for (size_t i = 0; i < sub->nsources; i++)
		if (hash_bytes(sub->sources[i]->content.data, sub->sources[i]->content.len,
			       a.hashes[i], e) < 0)
			return -1;
	if (writer_call(&((struct store_sqlite *)s)->writer, &verb, &a, e) < 0)
		return -1;
	memcpy(id, a.id, sizeof(a.id));
	*existed = a.existed;
	return 0;
}

static int run_cancel(struct store_sqlite *s, void *arg, struct err *e)
{
	const struct ending end = {
		.state = JUDGE__V1__STATE__CANCELLED, .message = "", .compiler_message = ""};
	struct held h = {0};
	int n = db_each(&s->writer.db, SQL_JUDGEMENT_OF, DB_ARGS(db_text(arg)), held_row, &h, e);

	if (n == 0)
		return store_refuse(e, ENOENT, "no submission '%.64s'", (const char *)arg);
	if (n < 0)
		return -1;
	if (h.state == JUDGE__V1__STATE__CANCELLED)
		return 0;
	if (h.state == JUDGE__V1__STATE__FINISHED)
		return store_refuse(e, EALREADY, "submission %s was finished already", h.id);
	return judgement_end(s, &h, &end, e);
}

int store_sqlite_cancel(struct store *s, const char *id, struct err *e)
{
	static const struct writer_verb verb = WRITER_VERB("cancel", run_cancel);

	return writer_call(&((struct store_sqlite *)s)->writer, &verb, (void *)id, e);
}

struct claim {
	const char *worker;
	int64_t lease_us;
	struct store_job *job;
	struct held held;
	int was_leased;
	char *reason; /* why it waits again */
};

static int next_job_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct claim *a = arg;
	struct store_job *job = a->job;

	if (held_row(row, &a->held, e) < 0)
		return -1;
	a->was_leased = db_get_int(row, 8) != 0;
	a->reason = db_get_text(row, 9, e);
	job->problem = a->reason ? db_get_text(row, 10, e) : NULL;
	job->problem_version = job->problem ? db_get_text(row, 11, e) : NULL;
	job->language = job->problem_version ? db_get_text(row, 12, e) : NULL;
	return job->language ? 0 : -1;
}

static void claim_reset(struct claim *a)
{
	store_job_release(a->job);
	free(a->reason);
	a->reason = NULL;
	a->held = (struct held){0};
}

/* Leases the job that next_job_row() found, and says that it begins anew if it does. */
static int claim_take(struct store_sqlite *s, struct claim *a, struct err *e)
{
	struct db *db = &s->writer.db;
	struct held *h = &a->held;

	h->attempt++;
	if (db_run(db, SQL_TAKE_JOB,
		   DB_ARGS(db_int(h->judgement), db_text(a->worker), db_int(s->incarnation),
			   db_int(io_monotonic_us() + a->lease_us)),
		   e) < 0 ||
	    db_run(db, SQL_SET_RUNNING, DB_ARGS(db_int(h->judgement), db_int(h->attempt)), e) < 0)
		return -1;
	if (h->attempt == 1)
		return 0;
	return event_put_kind(s, h, JUDGE__V1__EVENT__KIND__RESTARTED, a->reason, e);
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

/* A job whose lease ran out is parked first and then found again, as a waiting one. */
static int run_claim(struct store_sqlite *s, void *arg, struct err *e)
{
	struct claim *a = arg;

	for (;;) {
		int n;

		claim_reset(a);
		n = db_each(&s->writer.db, SQL_NEXT_JOB, DB_ARGS(db_int(io_monotonic_us())),
			    next_job_row, a, e);
		if (n <= 0)
			return n;
		if (!a->was_leased)
			break;
		if (lease_lost(s, &a->held, "the worker that had it fell silent", e) < 0)
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
	struct ending end;
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
	struct held h;

	if (held_find(&s->writer.db, a->job, &h, e) < 0)
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
	struct held h;

	if (held_find(&s->writer.db, a->job, &h, e) < 0)
		return -1;
	for (size_t i = 0; i < a->nevents; i++)
		if (event_put(s, &h, a->events[i], e) < 0)
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

static int put_runs(struct db *db, const struct held *h, const struct store_result *r,
		    struct err *e)
{
	for (size_t i = 0; i < r->nruns; i++) {
		size_t len;
		AUTO_FREE uint8_t *body = packed(&r->runs[i]->base, &len, e);

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
	struct held h;

	if (held_find(&s->writer.db, a->job, &h, e) < 0 ||
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
		evidence = packed(&r->evidence->base, &a.end.evidence_len, e);
		if (!evidence)
			return -1;
	}
	a.end.state = JUDGE__V1__STATE__FINISHED;
	a.end.verdict = r->verdict;
	a.end.message = r->message ? r->message : "";
	a.end.compiler_message = r->compiler_message ? r->compiler_message : "";
	a.end.evidence = evidence;
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
	struct held h;

	if (held_find(&s->writer.db, a->job, &h, e) < 0)
		return -1;
	return job_park(s, &h, "the judge was stopped", e);
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
	struct held h;

	if (held_find(&s->writer.db, a->job, &h, e) < 0)
		return -1;
	h.faults++;
	if (h.faults < STORE_MAX_FAULTS)
		return job_park(s, &h, a->reason, e);
	return judgement_break(s, &h, a->reason, e);
}

int store_sqlite_fault(struct store *s, const struct store_job *job, const char *reason,
		       struct err *e)
{
	static const struct writer_verb verb = WRITER_VERB("fault", run_fault);
	struct job_call a = {.job = job, .reason = reason};

	return job_call(s, &verb, &a, e);
}
