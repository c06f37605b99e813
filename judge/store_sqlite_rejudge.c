#include "judge/store_sqlite_rejudge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge/store_sqlite.h"
#include "judge/store_sqlite_judgement.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

/* What there is to do for the next submission of a rejudging. */
struct next {
	int64_t rejudging, submission;
	uint32_t tests;
	char *problem, *version;
};

static int next_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct next *x = arg;

	x->rejudging = db_get_int(row, 0);
	x->submission = db_get_int(row, 1);
	x->problem = db_get_text(row, 2, e);
	x->version = x->problem ? db_get_text(row, 3, e) : NULL;
	return x->version ? 0 : -1;
}

static int tests_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	Judge__V1__Problem *p = db_get_message(row, 4, &judge__v1__problem__descriptor, e);

	if (!p)
		return -1;
	((struct next *)arg)->tests = p->tests;
	judge__v1__problem__free_unpacked(p, NULL);
	return 0;
}

static int next_make(struct db *db, struct next *x, struct err *e)
{
	int64_t judgement;

	if (db_each(db, SQL_VERSION, DB_ARGS(db_text(x->problem), db_text(x->version)), tests_row,
		    x, e) < 0 ||
	    db_run(db, SQL_PUT_REJUDGEMENT,
		   DB_ARGS(db_int(x->submission), db_int(x->rejudging), db_text(x->version),
			   db_int(x->tests)),
		   e) < 0)
		return -1;
	judgement = db_last_id(db);
	if (db_run(db, SQL_PUT_REJUDGE_JOB, DB_ARGS(db_int(judgement)), e) < 0 ||
	    db_run(db, SQL_SET_AFTER,
		   DB_ARGS(db_int(x->rejudging), db_int(x->submission), db_int(judgement)), e) < 0)
		return -1;
	return 1;
}

int rejudging_next(struct db *db, struct err *e)
{
	struct next x = {0};
	int n = db_each(db, SQL_NEXT_REJUDGED, DB_NONE, next_row, &x, e);

	if (n > 0)
		n = next_make(db, &x, e);
	free(x.problem);
	free(x.version);
	return n;
}

int rejudging_judged(struct db *db, const struct judgement *j, Judge__V1__Verdict verdict,
		     struct err *e)
{
	struct db_args args = DB_ARGS(db_int(j->rejudging), db_int(j->submission), db_int(verdict));
	int n = db_run(db, SQL_SET_NEW_VERDICT, args, e);

	if (n == 0)
		return store_refuse(e, EIO, "submission %s has its new verdict already", j->id);
	return n < 0 || db_run(db, SQL_COUNT_JUDGED, args, e) < 0 ? -1 : 0;
}

/* One that has come to its end, or to be dropped. */
struct ending {
	char id[STORE_ID_LEN + 1];
	int allow_judge_errors;
	/* What the store knows of it. */
	int64_t number, state, total, judged, judge_errors;
	char *reason;
};

static int unsettled_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct ending *a = arg;

	a->number = db_get_int(row, 0);
	a->state = db_get_int(row, 1);
	a->reason = db_get_text(row, 2, e);
	return a->reason ? 0 : -1;
}

struct unsettled {
	struct judgement judgement; /* its number is 0: none was made */
	Judge__V1__Verdict verdict;
};

static int to_settle_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct unsettled *u = arg;

	u->verdict = (Judge__V1__Verdict)db_get_int(row, 9);
	return judgement_row(row, &u->judgement, e);
}

static int settle_one(struct store_sqlite *s, const struct ending *a, const struct unsettled *u,
		      struct err *e)
{
	struct db *db = &s->writer.db;
	const struct judgement *j = &u->judgement;
	Judge__V1__Event event = JUDGE__V1__EVENT__INIT;

	event.kind = JUDGE__V1__EVENT__KIND__REJUDGED;
	event.verdict = u->verdict;
	event.message = a->reason;
	if (a->state == JUDGE__V1__REJUDGING__STATE__APPLIED) {
		if (judgement_say(s, j, &event, e) < 0)
			return -1;
	} else if (db_run(db, SQL_DROP_JOB, DB_ARGS(db_int(j->judgement)), e) < 0 ||
		   db_run(db, SQL_CANCEL_REJUDGEMENT, DB_ARGS(db_int(j->judgement)), e) < 0) {
		return -1;
	}
	return db_run(db, SQL_CLOSE_REJUDGED, DB_ARGS(db_int(a->number), db_int(j->submission)), e);
}

/* Returns how many it settled: fewer than a batch are the last ones. */
static int run_settle(struct store_sqlite *s, void *arg, struct err *e)
{
	const struct ending *a = arg;
	int settled = 0, n;

	for (; settled < REJUDGING_BATCH; settled++) {
		struct unsettled u = {0};

		n = db_each(&s->writer.db, SQL_NEXT_UNSETTLED, DB_ARGS(db_int(a->number)),
			    to_settle_row, &u, e);
		if (n == 0)
			break;
		if (n < 0 || settle_one(s, a, &u, e) < 0)
			return -1;
	}
	return settled;
}

static int read_unsettled(struct db *db, void *arg, struct err *e)
{
	return db_each(db, SQL_UNSETTLED_REJUDGING, DB_NONE, unsettled_row, arg, e);
}

/* Each batch looks anew for what is left. */
int rejudging_settle(struct store_sqlite *s, struct err *e)
{
	static const struct writer_verb verb = WRITER_VERB("settle", run_settle);

	for (;;) {
		struct ending a = {0};
		int n = store_sqlite_read(s, read_unsettled, &a, e);

		while (n > 0 && (n = writer_call(&s->writer, &verb, &a, e)) == REJUDGING_BATCH)
			;
		free(a.reason);
		if (n < 0)
			return -1;
		if (!a.number)
			return 0;
	}
}

/* Drops a batch of one that is still being made, and at the end itself; returns how many of its submissions were dropped. */
static int run_discard(struct store_sqlite *s, void *arg, struct err *e)
{
	const struct ending *a = arg;
	int n = db_run(&s->writer.db, SQL_DROP_REJUDGED,
		       DB_ARGS(db_int(a->number), db_int(REJUDGING_BATCH)), e);

	if (n == 0 && db_run(&s->writer.db, SQL_DROP_REJUDGING, DB_ARGS(db_int(a->number)), e) < 0)
		return -1;
	return n;
}

int rejudging_discard(struct store_sqlite *s, int64_t number, struct err *e)
{
	static const struct writer_verb verb = WRITER_VERB("rejudge_discard", run_discard);
	struct ending a = {.number = number};
	int n;

	do {
		n = writer_call(&s->writer, &verb, &a, e);
	} while (n > 0);
	return n;
}

static int number_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	(void)e;
	((struct ending *)arg)->number = db_get_int(row, 0);
	return 0;
}

static int read_unfinished(struct db *db, void *arg, struct err *e)
{
	return db_each(db, SQL_UNFINISHED_REJUDGING, DB_NONE, number_row, arg, e);
}

int rejudging_resume(struct store_sqlite *s, struct err *e)
{
	struct ending a = {0};
	int n;

	while ((n = store_sqlite_read(s, read_unfinished, &a, e)) > 0)
		if (rejudging_discard(s, a.number, e) < 0)
			return -1;
	return n < 0 ? -1 : rejudging_settle(s, e);
}

static int rejudging_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct ending *a = arg;

	(void)e;
	a->state = db_get_int(row, 4);
	a->total = db_get_int(row, 7);
	a->judged = db_get_int(row, 8);
	a->judge_errors = db_get_int(row, 10);
	a->number = db_get_int(row, 13);
	return 0;
}

static int find_rejudging(struct db *db, struct ending *a, struct err *e)
{
	int n = db_each(db, SQL_REJUDGING, DB_ARGS(db_text(a->id)), rejudging_row, a, e);

	if (n == 0)
		return store_refuse(e, ENOENT, "no rejudging '%.64s'", a->id);
	return n < 0 ? -1 : 0;
}

static int may_apply(const struct ending *a, struct err *e)
{
	if (a->state == JUDGE__V1__REJUDGING__STATE__CANCELLED)
		return store_refuse(e, EALREADY, "this rejudging was cancelled");
	if (a->state != JUDGE__V1__REJUDGING__STATE__READY)
		return store_refuse(e, EBUSY, "%lld of its %lld submissions are still to be judged",
				    (long long)(a->total - a->judged), (long long)a->total);
	if (a->judge_errors > 0 && !a->allow_judge_errors)
		return store_refuse(e, EBUSY, "%lld of its %lld new verdicts are judge errors",
				    (long long)a->judge_errors, (long long)a->total);
	return 0;
}

static int end_rejudging(struct db *db, const struct ending *a, int64_t state, struct err *e)
{
	return db_run(db, SQL_END_REJUDGING,
		      DB_ARGS(db_int(a->number), db_int(state), db_int(io_realtime_us())), e) < 0
		       ? -1
		       : 0;
}

/* The one transaction in which the new judgements take the place of the old ones: all of them, or none. */
static int run_apply(struct store_sqlite *s, void *arg, struct err *e)
{
	struct ending *a = arg;
	struct db *db = &s->writer.db;
	int old, new;

	if (find_rejudging(db, a, e) < 0)
		return -1;
	if (a->state == JUDGE__V1__REJUDGING__STATE__APPLIED)
		return 0;
	if (may_apply(a, e) < 0)
		return -1;
	old = db_run(db, SQL_CLEAR_CURRENT, DB_ARGS(db_int(a->number)), e);
	new = old < 0 ? -1 : db_run(db, SQL_MAKE_CURRENT, DB_ARGS(db_int(a->number)), e);
	if (old < 0 || new < 0)
		return -1;
	if (old != a->total || new != a->total)
		return store_refuse(e, EIO, "%d of %lld old and %d new judgements found", old,
				    (long long)a->total, new);
	return end_rejudging(db, a, JUDGE__V1__REJUDGING__STATE__APPLIED, e);
}

int store_sqlite_apply_rejudging(struct store *base, const char *id, int allow_judge_errors,
				 struct err *e)
{
	static const struct writer_verb verb = WRITER_VERB("apply", run_apply);
	struct store_sqlite *s = (struct store_sqlite *)base;
	struct ending a = {.allow_judge_errors = allow_judge_errors};

	(void)snprintf(a.id, sizeof(a.id), "%s", id);
	return writer_call(&s->writer, &verb, &a, e) < 0 ? -1 : rejudging_settle(s, e);
}

static int run_cancel(struct store_sqlite *s, void *arg, struct err *e)
{
	struct ending *a = arg;

	if (find_rejudging(&s->writer.db, a, e) < 0)
		return -1;
	if (a->state == JUDGE__V1__REJUDGING__STATE__CANCELLED)
		return 0;
	if (a->state == JUDGE__V1__REJUDGING__STATE__APPLIED)
		return store_refuse(e, EALREADY, "this rejudging was applied");
	return end_rejudging(&s->writer.db, a, JUDGE__V1__REJUDGING__STATE__CANCELLED, e);
}

int store_sqlite_cancel_rejudging(struct store *base, const char *id, struct err *e)
{
	static const struct writer_verb verb = WRITER_VERB("cancel_rejudging", run_cancel);
	struct store_sqlite *s = (struct store_sqlite *)base;
	struct ending a = {0};

	(void)snprintf(a.id, sizeof(a.id), "%s", id);
	return writer_call(&s->writer, &verb, &a, e) < 0 ? -1 : rejudging_settle(s, e);
}
