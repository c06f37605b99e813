#include <errno.h>
#include <stdlib.h>

#include "judge/store_sqlite.h"
#include "proto/err.h"
#include "proto/scope.h"

/* What the verbs that look ask for. */
struct query {
	const char *id, *after;
	int only_changed, with_runs;
	uint32_t max;
	int64_t number; /* of the rejudging */
	struct db_list list;
};

/* A new message at the end of the list; NULL when out of memory. */
static void *append(struct query *q, struct err *e)
{
	ProtobufCMessage *m;

	if (db_list_room(&q->list, e) < 0)
		return NULL;
	m = malloc(q->list.type->sizeof_message);
	if (!m) {
		(void)err_sys(e, "store: %s", q->list.type->name);
		return NULL;
	}
	protobuf_c_message_init(q->list.type, m);
	q->list.items[q->list.n++] = m;
	return m;
}

struct text {
	char **to;
	int column;
};

static int get_texts(struct sqlite3_stmt *row, const struct text *texts, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		char *text = db_get_text(row, texts[i].column, e);

		if (!text)
			return -1;
		*texts[i].to = text;
	}
	return 0;
}

static int rejudging_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct query *q = arg;
	Judge__V1__Rejudging *r = append(q, e);

	if (!r)
		return -1;
	const struct text texts[] = {{&r->id, 0}, {&r->reason, 2}, {&r->request_id, 12}};

	r->same_version = (int)db_get_int(row, 3);
	r->state = (Judge__V1__Rejudging__State)db_get_int(row, 4);
	r->created_at_us = db_get_int(row, 5);
	r->ended_at_us = db_get_int(row, 6);
	r->total = (uint32_t)db_get_int(row, 7);
	r->judged = (uint32_t)db_get_int(row, 8);
	r->changed = (uint32_t)db_get_int(row, 9);
	r->judge_errors = (uint32_t)db_get_int(row, 10);
	r->left_out = (uint32_t)db_get_int(row, 11);
	q->number = db_get_int(row, 13);
	r->filter = db_get_message(row, 1, &judge__v1__submission_filter__descriptor, e);
	return r->filter ? get_texts(row, texts, ARRAY_LEN(texts), e) : -1;
}

static int read_rejudging(struct db *db, void *arg, struct err *e)
{
	struct query *q = arg;
	int n = db_each(db, SQL_REJUDGING, DB_ARGS(db_text(q->id)), rejudging_row, q, e);

	if (n == 0)
		return store_refuse(e, ENOENT, "no rejudging '%.64s'", q->id);
	return n < 0 ? -1 : 0;
}

static int run_query(struct store *s, store_sqlite_reading *fn, struct query *q, struct err *e)
{
	if (store_sqlite_read((struct store_sqlite *)s, fn, q, e) >= 0)
		return 0;
	db_list_release(&q->list);
	return -1;
}

int store_sqlite_get_rejudging(struct store *s, const char *id, Judge__V1__Rejudging **out,
			       struct err *e)
{
	struct query q = {.id = id, .list.type = &judge__v1__rejudging__descriptor};

	if (run_query(s, read_rejudging, &q, e) < 0)
		return -1;
	*out = (Judge__V1__Rejudging *)q.list.items[0];
	free(q.list.items);
	return 0;
}

static int read_rejudgings(struct db *db, void *arg, struct err *e)
{
	struct query *q = arg;

	return db_each(db, SQL_REJUDGINGS,
		       DB_ARGS(db_text(store_or_null(q->after)), db_int(q->max)), rejudging_row, q,
		       e);
}

int store_sqlite_list_rejudgings(struct store *s, const char *before, uint32_t max,
				 Judge__V1__Rejudging ***out, size_t *n, struct err *e)
{
	struct query q = {
		.after = before, .max = max, .list.type = &judge__v1__rejudging__descriptor};

	if (run_query(s, read_rejudgings, &q, e) < 0)
		return -1;
	*out = (Judge__V1__Rejudging **)q.list.items;
	*n = q.list.n;
	return 0;
}

static int rejudged_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	Judge__V1__RejudgedSubmission *r = append(arg, e);

	if (!r)
		return -1;
	const struct text texts[] = {
		{&r->id, 0}, {&r->problem, 1}, {&r->language, 2}, {&r->author, 3}};

	r->old_verdict = (Judge__V1__Verdict)db_get_int(row, 4);
	r->new_verdict = (Judge__V1__Verdict)db_get_int(row, 5);
	return get_texts(row, texts, ARRAY_LEN(texts), e);
}

static int number_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	(void)e;
	((struct query *)arg)->number = db_get_int(row, 13);
	return 0;
}

static int find_number(struct db *db, struct query *q, struct err *e)
{
	int n = db_each(db, SQL_REJUDGING, DB_ARGS(db_text(q->id)), number_row, q, e);

	if (n == 0)
		return store_refuse(e, ENOENT, "no rejudging '%.64s'", q->id);
	return n < 0 ? -1 : 0;
}

static int read_rejudged(struct db *db, void *arg, struct err *e)
{
	struct query *q = arg;

	if (find_number(db, q, e) < 0)
		return -1;
	return db_each(db, SQL_REJUDGED,
		       DB_ARGS(db_int(q->number), db_text(store_or_null(q->after)),
			       db_int(q->only_changed), db_int(q->max)),
		       rejudged_row, q, e);
}

int store_sqlite_list_rejudged(struct store *s, const char *id, const char *after, int only_changed,
			       uint32_t max, Judge__V1__RejudgedSubmission ***out, size_t *n,
			       struct err *e)
{
	struct query q = {.id = id,
			  .after = after,
			  .only_changed = only_changed,
			  .max = max,
			  .list.type = &judge__v1__rejudged_submission__descriptor};

	if (run_query(s, read_rejudged, &q, e) < 0)
		return -1;
	*out = (Judge__V1__RejudgedSubmission **)q.list.items;
	*n = q.list.n;
	return 0;
}

static int change_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	Judge__V1__VerdictChange *c = append(arg, e);

	if (!c)
		return -1;
	c->old_verdict = (Judge__V1__Verdict)db_get_int(row, 0);
	c->new_verdict = (Judge__V1__Verdict)db_get_int(row, 1);
	c->count = (uint32_t)db_get_int(row, 2);
	return 0;
}

static int read_changes(struct db *db, void *arg, struct err *e)
{
	struct query *q = arg;

	if (find_number(db, q, e) < 0)
		return -1;
	return db_each(db, SQL_CHANGES, DB_ARGS(db_int(q->number)), change_row, q, e);
}

int store_sqlite_list_changes(struct store *s, const char *id, Judge__V1__VerdictChange ***out,
			      size_t *n, struct err *e)
{
	struct query q = {.id = id, .list.type = &judge__v1__verdict_change__descriptor};

	if (run_query(s, read_changes, &q, e) < 0)
		return -1;
	*out = (Judge__V1__VerdictChange **)q.list.items;
	*n = q.list.n;
	return 0;
}

static int judgement_texts(struct sqlite3_stmt *row, Judge__V1__Judgement *j, struct err *e)
{
	const struct text texts[] = {{&j->rejudging, 2},
				     {&j->problem_version, 5},
				     {&j->message, 8},
				     {&j->compiler_message, 9}};

	return get_texts(row, texts, ARRAY_LEN(texts), e);
}

static int judgements_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct query *q = arg;
	Judge__V1__Judgement *j = append(q, e);

	if (!j)
		return -1;
	j->current = (int)db_get_int(row, 1);
	j->state = (Judge__V1__State)db_get_int(row, 3);
	j->verdict = (Judge__V1__Verdict)db_get_int(row, 4);
	j->tests_total = (uint32_t)db_get_int(row, 6);
	j->attempt = (uint32_t)db_get_int(row, 7);
	j->finished_at_us = db_get_int(row, 10);
	j->cpu_time_us = (uint64_t)db_get_int(row, 11);
	j->memory_peak_bytes = (uint64_t)db_get_int(row, 12);
	if (!db_is_null(row, 13)) {
		j->evidence = db_get_message(row, 13, &judge__v1__evidence__descriptor, e);
		if (!j->evidence)
			return -1;
	}
	if (!db_is_null(row, 14)) {
		j->score = db_get_message(row, 14, &judge__v1__score__descriptor, e);
		if (!j->score)
			return -1;
	}
	return judgement_texts(row, j, e);
}

struct runs_query {
	struct query *q;
	struct db *db;
	size_t filled; /* judgements that have their runs */
};

/* The rows of SQL_JUDGEMENTS once more, for the numbers of the judgements. */
static int runs_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct runs_query *r = arg;
	Judge__V1__Judgement *j = (Judge__V1__Judgement *)r->q->list.items[r->filled++];
	struct db_list runs = {.type = &judge__v1__run__descriptor};
	int rc = db_each(r->db, SQL_RUNS, DB_ARGS(db_int(db_get_int(row, 0))), db_list_row, &runs,
			 e);

	j->runs = (Judge__V1__Run **)runs.items;
	j->n_runs = runs.n;
	return rc < 0 ? -1 : 0;
}

static int read_judgements(struct db *db, void *arg, struct err *e)
{
	struct query *q = arg;
	struct runs_query r = {q, db, 0};
	int n = db_each(db, SQL_JUDGEMENTS, DB_ARGS(db_text(q->id)), judgements_row, q, e);

	if (n == 0)
		return store_refuse(e, ENOENT, "no submission '%.64s'", q->id);
	if (n > 0 && q->with_runs)
		n = db_each(db, SQL_JUDGEMENTS, DB_ARGS(db_text(q->id)), runs_row, &r, e);
	return n < 0 ? -1 : 0;
}

int store_sqlite_list_judgements(struct store *s, const char *id, int with_runs,
				 Judge__V1__Judgement ***out, size_t *n, struct err *e)
{
	struct query q = {
		.id = id, .with_runs = with_runs, .list.type = &judge__v1__judgement__descriptor};

	if (run_query(s, read_judgements, &q, e) < 0)
		return -1;
	*out = (Judge__V1__Judgement **)q.list.items;
	*n = q.list.n;
	return 0;
}
