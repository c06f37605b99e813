#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "judge/store_sqlite.h"
#include "judge/store_sqlite_rejudge.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

/* One that is being made. */
struct rejudge {
	const struct store_rejudging *given;
	const char *request_id; /* NULL: none */
	char content[STORE_HASH_LEN + 1];
	char new_id[STORE_ID_LEN + 1];
	char id[STORE_ID_LEN + 1]; /* of the one that is there, or the new one */
	int existed;
	const uint8_t *filter;
	size_t filter_len;
	struct rejudging_match match;
	int64_t number;
	size_t added; /* of the match; moved on by the caller, since a verb may run twice */
};

/* Fills id when the request is known with the same content. */
static int request_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct rejudge *a = arg;
	AUTO_FREE char *id = db_get_text(row, 0, e);
	AUTO_FREE char *content = id ? db_get_text(row, 1, e) : NULL;

	if (!content)
		return -1;
	if (strcmp(content, a->content) != 0)
		return store_refuse(e, EEXIST,
				    "'%.128s' was used for another rejudging with other content",
				    a->request_id);
	if (db_get_int(row, 2) == 0)
		return store_refuse(e, EAGAIN, "this rejudging is being made");
	memcpy(a->id, id, strnlen(id, STORE_ID_LEN));
	return 0;
}

static int run_begin(struct store_sqlite *s, void *arg, struct err *e)
{
	struct rejudge *a = arg;
	struct db *db = &s->writer.db;
	int known = 0;

	if (a->request_id)
		known = db_each(db, SQL_REJUDGING_REQUEST, DB_ARGS(db_text(a->request_id)),
				request_row, a, e);
	a->existed = known > 0;
	if (known != 0)
		return known < 0 ? -1 : 0;
	if (db_run(db, SQL_PUT_REJUDGING,
		   DB_ARGS(db_text(a->new_id), db_text(a->request_id), db_text(a->content),
			   db_blob(a->filter, a->filter_len), db_text(a->given->reason),
			   db_int(a->given->same_version), db_int(io_realtime_us()),
			   db_int(a->match.left_out)),
		   e) < 0)
		return -1;
	a->number = db_last_id(db);
	memcpy(a->id, a->new_id, sizeof(a->new_id));
	return 0;
}

/* Another rejudging may have taken it since it was matched. */
static int taken_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	AUTO_FREE char *id = db_get_text(row, 0, e);
	AUTO_FREE char *other = id ? db_get_text(row, 1, e) : NULL;

	(void)arg;
	if (!other)
		return -1;
	return store_refuse(e, EBUSY, "submission %s is in rejudging %s, which is open", id, other);
}

static int add_one(struct db *db, const struct rejudge *a, const struct rejudging_item *item,
		   struct err *e)
{
	int n;

	if (db_each(db, SQL_OPENED_BY, DB_ARGS(db_int(item->submission)), taken_row, NULL, e) < 0)
		return -1;
	n = db_run(db, SQL_PUT_REJUDGED,
		   DB_ARGS(db_int(a->number), db_int(item->submission),
			   db_text(a->match.versions[item->version])),
		   e);
	if (n == 0)
		return store_refuse(e, EIO, "submission number %lld has lost its verdict",
				    (long long)item->submission);
	return n < 0 ? -1 : 0;
}

static int run_add(struct store_sqlite *s, void *arg, struct err *e)
{
	const struct rejudge *a = arg;

	for (size_t i = a->added; i < a->match.n && i < a->added + REJUDGING_BATCH; i++)
		if (add_one(&s->writer.db, a, &a->match.items[i], e) < 0)
			return -1;
	return 0;
}

static int run_open(struct store_sqlite *s, void *arg, struct err *e)
{
	const struct rejudge *a = arg;

	if (db_run(&s->writer.db, SQL_OPEN_REJUDGING,
		   DB_ARGS(db_int(a->number), db_int((int64_t)a->match.n)), e) < 0)
		return -1;
	return writer_tell(&s->writer, STORE_QUEUED, a->id, e);
}

static int add_all(struct store_sqlite *s, struct rejudge *a, struct err *e)
{
	static const struct writer_verb add = WRITER_VERB("rejudge_add", run_add);
	static const struct writer_verb open = WRITER_VERB("rejudge_open", run_open);
	struct err ignored;

	for (; a->added < a->match.n; a->added += REJUDGING_BATCH)
		if (writer_call(&s->writer, &add, a, e) < 0)
			goto fail;
	if (writer_call(&s->writer, &open, a, e) == 0)
		return 0;
fail:
	(void)rejudging_discard(s, a->number, &ignored); /* or the next opening does */
	return -1;
}

static int create(struct store_sqlite *s, struct rejudge *a, struct err *e)
{
	static const struct writer_verb verb = WRITER_VERB("rejudge_begin", run_begin);

	if (writer_call(&s->writer, &verb, a, e) < 0)
		return -1;
	return a->existed ? 0 : add_all(s, a, e);
}

/* What is known of the request already comes before what the filter would match by now. */
static int read_request(struct db *db, void *arg, struct err *e)
{
	struct rejudge *a = arg;
	int known = 0;

	if (a->request_id)
		known = db_each(db, SQL_REJUDGING_REQUEST, DB_ARGS(db_text(a->request_id)),
				request_row, a, e);
	a->existed = known > 0;
	if (known != 0)
		return known < 0 ? -1 : 0;
	return rejudging_find(db, &a->match, e);
}

static int count_only(const struct rejudge *a, struct store_rejudging_made *out)
{
	out->total = (uint32_t)a->match.n;
	out->left_out = a->match.left_out;
	return 0;
}

static int make(struct store_sqlite *s, struct rejudge *a, struct store_rejudging_made *out,
		struct err *e)
{
	if (rejudging_settle(s, e) < 0 || store_sqlite_read(s, read_request, a, e) < 0)
		return -1;
	if (a->given->validate_only)
		return count_only(a, out);
	if (!a->existed && create(s, a, e) < 0)
		return -1;
	memcpy(out->id, a->id, sizeof(out->id));
	return 0;
}

int store_sqlite_create_rejudging(struct store *s, const struct store_rejudging *r,
				  struct store_rejudging_made *out, struct err *e)
{
	struct rejudge a = {.given = r,
			    .match = {.filter = r->filter, .same_version = r->same_version}};
	AUTO_FREE uint8_t *filter = db_pack(&r->filter->base, &a.filter_len, e);
	int rc;

	*out = (struct store_rejudging_made){0};
	a.filter = filter;
	a.request_id = store_or_null(r->request_id);
	if (!filter || store_make_id(a.new_id, e) < 0 || store_hash_rejudging(r, a.content, e) < 0)
		return -1;
	rc = make((struct store_sqlite *)s, &a, out, e);
	rejudging_match_release(&a.match);
	return rc;
}
