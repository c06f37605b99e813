#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "judge/hash.h"
#include "judge/store_sqlite.h"
#include "judge/store_sqlite_judgement.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

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
	struct judgement h = {0};
	int n;

	(void)arg;
	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return err_sys(e, "getrandom");
	if (db_run(db, SQL_PUT_STORE, DB_ARGS(db_blob(key, sizeof(key))), e) < 0 ||
	    db_run(db, SQL_NEXT_INCARNATION, DB_NONE, e) < 0 ||
	    db_each(db, SQL_STORE, DB_NONE, store_row, s, e) < 0)
		return -1;
	while ((n = db_each(db, SQL_NEXT_ORPHAN, DB_ARGS(db_int(s->incarnation)), judgement_row, &h,
			    e)) > 0)
		if (judgement_lost(s, &h, "the judge was restarted", e) < 0)
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
	AUTO_FREE uint8_t *summary = db_pack(&p->summary->base, &a.summary_len, e);

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
	struct judgement h = {.tests_total = sub->tests_total};

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
	    judgement_say_kind(s, &h, JUDGE__V1__EVENT__KIND__QUEUED, "", e) < 0)
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
	const struct judgement_ending end = {
		.state = JUDGE__V1__STATE__CANCELLED, .message = "", .compiler_message = ""};
	struct judgement h = {0};
	int n = db_each(&s->writer.db, SQL_JUDGEMENT_OF, DB_ARGS(db_text(arg)), judgement_row, &h,
			e);

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
