#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "judge/store_sqlite.h"
#include "proto/err.h"
#include "proto/scope.h"

static int source_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct db_list *l = arg;
	Judge__V1__SourceFile *f;
	size_t len = 0;

	if (db_list_room(l, e) < 0)
		return -1;
	f = malloc(sizeof(*f));
	if (!f)
		return err_sys(e, "store: source file");
	judge__v1__source_file__init(f);
	l->items[l->n++] = &f->base;
	f->name = db_get_text(row, 0, e);
	f->content.data = f->name ? (uint8_t *)db_get_blob(row, 1, &len, e) : NULL;
	f->content.len = len;
	return f->content.data ? 0 : -1;
}

int store_sqlite_sources(struct db *db, int64_t submission, struct store_sqlite_sources *out,
			 struct err *e)
{
	struct db_list l = {.type = &judge__v1__source_file__descriptor};
	int rc = db_each(db, SQL_SOURCES, DB_ARGS(db_int(submission)), source_row, &l, e);

	out->files = (Judge__V1__SourceFile **)l.items;
	out->n = l.n;
	return rc < 0 ? -1 : 0;
}

struct submissions_query {
	const char *id; /* one, */
	int with_sources;
	const struct store_filter *filter; /* or a list */
	int64_t before, last;
	uint32_t max;
	struct db_list list; /* of at most max */
	int more;
	int64_t judgement;
};

/* The texts of a row of SUBMISSION_COLUMNS. */
static int submission_texts(struct sqlite3_stmt *row, Judge__V1__Submission *s, int whole,
			    struct err *e)
{
	const struct {
		char **to;
		int column;
	} texts[] = {
		{&s->id, 2},
		{&s->problem, 3},
		{&s->problem_version, 4},
		{&s->language, 5},
		{&s->author, 6},
		{&s->message, 13},
		{&s->request_id, 17},
		{&s->compiler_message, 12}, /* last: not in lists */
	};

	for (size_t i = 0; i < ARRAY_LEN(texts) - !whole; i++) {
		char *text = db_get_text(row, texts[i].column, e);

		if (!text)
			return -1;
		*texts[i].to = text;
	}
	return 0;
}

static int submission_fill(struct sqlite3_stmt *row, Judge__V1__Submission *s, int whole,
			   struct err *e)
{
	s->submitted_at_us = db_get_int(row, 7);
	s->state = (Judge__V1__State)db_get_int(row, 8);
	s->verdict = (Judge__V1__Verdict)db_get_int(row, 9);
	s->tests_total = (uint32_t)db_get_int(row, 10);
	s->attempt = (uint32_t)db_get_int(row, 11);
	s->finished_at_us = db_get_int(row, 14);
	s->cpu_time_us = (uint64_t)db_get_int(row, 15);
	s->memory_peak_bytes = (uint64_t)db_get_int(row, 16);
	if (!db_is_null(row, 18)) {
		s->evidence = db_get_message(row, 18, &judge__v1__evidence__descriptor, e);
		if (!s->evidence)
			return -1;
	}
	if (!db_is_null(row, 19)) {
		s->score = db_get_message(row, 19, &judge__v1__score__descriptor, e);
		if (!s->score)
			return -1;
	}
	return submission_texts(row, s, whole, e);
}

static int submission_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct submissions_query *q = arg;
	Judge__V1__Submission *s;

	if (q->list.n == q->max) {
		q->more = 1;
		return 0;
	}
	if (db_list_room(&q->list, e) < 0)
		return -1;
	s = malloc(sizeof(*s));
	if (!s)
		return err_sys(e, "store: submission");
	judge__v1__submission__init(s);
	q->list.items[q->list.n++] = &s->base;
	q->last = db_get_int(row, 0);
	q->judgement = db_get_int(row, 1);
	return submission_fill(row, s, q->id != NULL, e);
}

static int read_submission(struct db *db, void *arg, struct err *e)
{
	struct submissions_query *q = arg;
	int n = db_each(db, SQL_SUBMISSION, DB_ARGS(db_text(q->id)), submission_row, q, e);
	struct db_list runs = {.type = &judge__v1__run__descriptor};
	struct store_sqlite_sources sources = {0};
	Judge__V1__Submission *s;
	int rc;

	if (n == 0)
		return store_refuse(e, ENOENT, "no submission '%.64s'", q->id);
	if (n < 0)
		return -1;
	s = (Judge__V1__Submission *)q->list.items[0];
	rc = db_each(db, SQL_RUNS, DB_ARGS(db_int(q->judgement)), db_list_row, &runs, e);
	s->runs = (Judge__V1__Run **)runs.items;
	s->n_runs = runs.n;
	if (rc >= 0 && q->with_sources) {
		rc = store_sqlite_sources(db, q->last, &sources, e);
		s->sources = sources.files;
		s->n_sources = sources.n;
	}
	return rc < 0 ? -1 : 0;
}

int store_sqlite_get_submission(struct store *s, const char *id, int with_sources,
				Judge__V1__Submission **out, struct err *e)
{
	struct submissions_query q = {
		.id = id,
		.with_sources = with_sources,
		.max = 1,
		.list = {.type = &judge__v1__submission__descriptor},
	};

	if (store_sqlite_read((struct store_sqlite *)s, read_submission, &q, e) < 0) {
		db_list_release(&q.list);
		return -1;
	}
	*out = (Judge__V1__Submission *)q.list.items[0];
	free(q.list.items);
	return 0;
}

/* The filter that leaves the fewest rows is the way in. */
static enum sql way_in(const struct store_filter *f)
{
	if (f->state == JUDGE__V1__STATE__QUEUED || f->state == JUDGE__V1__STATE__RUNNING)
		return SQL_LIST_OPEN;
	if (store_or_null(f->author))
		return SQL_LIST_AUTHOR;
	if (f->verdict)
		return SQL_LIST_VERDICT;
	if (store_or_null(f->problem))
		return SQL_LIST_PROBLEM;
	return SQL_LIST_ALL;
}

static int read_submissions(struct db *db, void *arg, struct err *e)
{
	struct submissions_query *q = arg;
	const struct store_filter *f = q->filter;

	return db_each(db, way_in(f),
		       DB_ARGS(db_int(q->before), db_text(store_or_null(f->problem)),
			       db_text(store_or_null(f->language)),
			       db_text(store_or_null(f->author)), db_int(f->state),
			       db_int(f->verdict), db_int((int64_t)q->max + 1)),
		       submission_row, q, e);
}

int store_sqlite_list_submissions(struct store *base, const struct store_filter *f,
				  const char *before, uint32_t max, Judge__V1__Submission ***out,
				  size_t *n, char **next, struct err *e)
{
	struct store_sqlite *s = (struct store_sqlite *)base;
	static const struct store_filter any;
	struct submissions_query q = {
		.filter = f ? f : &any,
		.before = INT64_MAX,
		.max = max,
		.list = {.type = &judge__v1__submission__descriptor},
	};
	AUTO_FREE char *position = calloc(1, STORE_POSITION_LEN + 1);

	if (!position)
		return err_sys(e, "store: position");
	if (store_or_null(before) &&
	    store_position_read(s->key, q.filter, before, &q.before, e) < 0)
		return -1;
	if (store_sqlite_read(s, read_submissions, &q, e) < 0 ||
	    (q.more && store_position_make(s->key, q.filter, q.last, position, e) < 0)) {
		db_list_release(&q.list);
		return -1;
	}
	*out = (Judge__V1__Submission **)q.list.items;
	*n = q.list.n;
	*next = ptr_steal(&position);
	return 0;
}
