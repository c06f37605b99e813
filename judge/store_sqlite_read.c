#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "judge/hash.h"
#include "judge/store_sqlite.h"
#include "proto/err.h"
#include "proto/scope.h"

struct blob {
	const char *hash;
	char *data;
	size_t len;
};

static int blob_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct blob *b = arg;

	b->data = db_get_blob(row, 0, &b->len, e);
	return b->data ? 0 : -1;
}

static int read_blob(struct db *db, void *arg, struct err *e)
{
	struct blob *b = arg;
	int n = db_each(db, SQL_BLOB, DB_ARGS(db_text(b->hash)), blob_row, b, e);

	if (n == 0)
		return store_refuse(e, ENOENT, "no blob %.64s", b->hash);
	return n < 0 ? -1 : 0;
}

/* The bytes are checked against their name: a disk that lies must not change a verdict. */
int store_sqlite_get_blob(struct store *s, const char *hash, char **data, size_t *len,
			  struct err *e)
{
	struct blob b = {.hash = hash};
	char found[STORE_HASH_LEN + 1];
	int rc = store_sqlite_read((struct store_sqlite *)s, read_blob, &b, e);
	AUTO_FREE char *bytes = b.data;

	if (rc < 0 || hash_bytes(b.data, b.len, found, e) < 0)
		return -1;
	if (strcmp(found, hash) != 0)
		return store_refuse(e, EIO, "store: blob %.64s is damaged: its hash is %s", hash,
				    found);
	*data = ptr_steal(&bytes);
	*len = b.len;
	return 0;
}

struct version_query {
	const char *name, *version;
	struct store_problem *out;
};

static int version_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct store_problem *p = ((struct version_query *)arg)->out;
	AUTO_FREE char *version = NULL;

	p->name = db_get_text(row, 0, e);
	p->title = p->name ? db_get_text(row, 1, e) : NULL;
	version = p->title ? db_get_text(row, 2, e) : NULL;
	p->manifest = version ? db_get_text(row, 3, e) : NULL;
	if (!p->manifest)
		return -1;
	memcpy(p->version, version, strnlen(version, STORE_HASH_LEN));
	p->summary = db_get_message(row, 4, &judge__v1__problem__descriptor, e);
	return p->summary ? 0 : -1;
}

static int read_version(struct db *db, void *arg, struct err *e)
{
	struct version_query *q = arg;
	int n = q->version
			? db_each(db, SQL_VERSION, DB_ARGS(db_text(q->name), db_text(q->version)),
				  version_row, q, e)
			: db_each(db, SQL_CURRENT_VERSION, DB_ARGS(db_text(q->name)), version_row,
				  q, e);

	if (n == 0 && q->version)
		return store_refuse(e, ENOENT, "no problem '%.100s' of version '%.64s'", q->name,
				    q->version);
	if (n == 0)
		return store_refuse(e, ENOENT, "no problem '%.100s'", q->name);
	return n < 0 ? -1 : 0;
}

int store_sqlite_get_problem(struct store *s, const char *name, const char *version,
			     struct store_problem *out, struct err *e)
{
	struct version_query q = {name, version, out};

	*out = (struct store_problem){0};
	if (store_sqlite_read((struct store_sqlite *)s, read_version, &q, e) == 0)
		return 0;
	store_problem_release(out);
	return -1;
}

struct problems_query {
	const char *after;
	uint32_t max;
	struct db_list list;
};

static int read_problems(struct db *db, void *arg, struct err *e)
{
	struct problems_query *q = arg;

	return db_each(db, SQL_LIST_PROBLEMS, DB_ARGS(db_text(q->after), db_int(q->max)),
		       db_list_row, &q->list, e);
}

int store_sqlite_list_problems(struct store *s, const char *after_name, uint32_t max,
			       Judge__V1__Problem ***out, size_t *n, struct err *e)
{
	struct problems_query q = {
		after_name ? after_name : "", max, {.type = &judge__v1__problem__descriptor}};

	if (store_sqlite_read((struct store_sqlite *)s, read_problems, &q, e) < 0) {
		db_list_release(&q.list);
		return -1;
	}
	*out = (Judge__V1__Problem **)q.list.items;
	*n = q.list.n;
	return 0;
}

struct events_query {
	const char *id;
	uint64_t after;
	uint32_t max;
	struct db_list list;
	int ended;
	int64_t submission, state, last;
};

static int events_of_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct events_query *q = arg;

	(void)e;
	q->submission = db_get_int(row, 0);
	q->state = db_get_int(row, 1);
	return 0;
}

static int last_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	(void)e;
	((struct events_query *)arg)->last = db_get_int(row, 0);
	return 0;
}

static int read_events(struct db *db, void *arg, struct err *e)
{
	struct events_query *q = arg;
	int n = db_each(db, SQL_EVENTS_OF, DB_ARGS(db_text(q->id)), events_of_row, q, e);
	uint64_t given;

	if (n == 0)
		return store_refuse(e, ENOENT, "no submission '%.64s'", q->id);
	if (n < 0 || db_each(db, SQL_LAST_SEQ, DB_ARGS(db_int(q->submission)), last_row, q, e) < 0)
		return -1;
	given = q->after;
	if (given < (uint64_t)q->last) {
		n = db_each(db, SQL_EVENTS,
			    DB_ARGS(db_int(q->submission), db_int((int64_t)given), db_int(q->max)),
			    db_list_row, &q->list, e);
		if (n < 0)
			return -1;
		given += (uint64_t)n; /* they have no gaps */
	}
	q->ended = given >= (uint64_t)q->last && (q->state == JUDGE__V1__STATE__FINISHED ||
						  q->state == JUDGE__V1__STATE__CANCELLED);
	return 0;
}

int store_sqlite_events(struct store *s, const char *id, uint64_t after_seq, uint32_t max,
			Judge__V1__Event ***out, size_t *n, int *ended, struct err *e)
{
	struct events_query q = {
		.id = id,
		.after = after_seq,
		.max = max,
		.list = {.type = &judge__v1__event__descriptor},
	};

	if (store_sqlite_read((struct store_sqlite *)s, read_events, &q, e) < 0) {
		db_list_release(&q.list);
		return -1;
	}
	*out = (Judge__V1__Event **)q.list.items;
	*n = q.list.n;
	*ended = q.ended;
	return 0;
}

struct counts {
	uint32_t queued, running;
};

static int counts_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct counts *c = arg;

	(void)e;
	c->queued = (uint32_t)db_get_int(row, 0);
	c->running = (uint32_t)db_get_int(row, 1);
	return 0;
}

static int read_counts(struct db *db, void *arg, struct err *e)
{
	return db_each(db, SQL_COUNTS, DB_NONE, counts_row, arg, e);
}

int store_sqlite_counts(struct store *s, uint32_t *queued, uint32_t *running, struct err *e)
{
	struct counts c = {0};

	if (store_sqlite_read((struct store_sqlite *)s, read_counts, &c, e) < 0)
		return -1;
	*queued = c.queued;
	*running = c.running;
	return 0;
}
