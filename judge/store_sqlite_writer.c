#include "judge/store_sqlite_writer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "judge/failpoint.h"
#include "proto/err.h"

struct writer_request { /* lives on the caller's stack */
	const struct writer_verb *verb;
	void *arg;
	struct err *e;
	struct writer_request *next;
	pthread_cond_t woken;
	int rc, done;
};

static void request_run(struct writer *w, struct writer_request *r)
{
	size_t nnotes = w->nnotes;
	struct err undo;

	r->rc = -1;
	if (db_run(&w->db, SQL_SAVEPOINT, DB_NONE, r->e) < 0)
		return;
	r->rc = r->verb->run(w->store, r->arg, r->e);
	if (r->rc >= 0 && db_run(&w->db, SQL_RELEASE, DB_NONE, r->e) < 0)
		r->rc = -1;
	if (r->rc >= 0 || !db_in_transaction(&w->db))
		return;
	w->nnotes = nnotes;
	if (db_run(&w->db, SQL_ROLLBACK_TO, DB_NONE, &undo) < 0 ||
	    db_run(&w->db, SQL_RELEASE, DB_NONE, &undo) < 0)
		db_abandon(&w->db); /* then batch_try() sees that the transaction is gone */
}

/* Passes the failpoint before or after the commit of each verb. */
static void pass(const struct writer_request *batch, size_t point)
{
	for (const struct writer_request *r = batch; r; r = r->next)
		FAILPOINT(r->verb->points[point]);
	(void)batch; /* without failpoints */
	(void)point;
}

/* One transaction; -1 when all of it is lost, and then every request has failed. */
static int batch_try(struct writer *w, struct writer_request *batch)
{
	size_t nnotes = w->nnotes;
	struct err e = {EIO, "the transaction was rolled back"};
	int ok = db_run(&w->db, SQL_BEGIN_WRITE, DB_NONE, &e) >= 0;

	for (struct writer_request *r = batch; ok && r; r = r->next) {
		request_run(w, r);
		ok = db_in_transaction(&w->db);
		if (!ok && r->rc < 0)
			e = *r->e;
	}
	if (ok) {
		pass(batch, 0);
		ok = db_run(&w->db, SQL_COMMIT, DB_NONE, &e) >= 0;
	}
	if (ok) {
		pass(batch, 1);
		return 0;
	}
	db_abandon(&w->db);
	w->nnotes = nnotes;
	for (struct writer_request *r = batch; r; r = r->next) {
		*r->e = e;
		r->rc = -1;
	}
	return -1;
}

static void batch_run(struct writer *w, struct writer_request *batch)
{
	struct writer_request *next;

	if (batch_try(w, batch) == 0 || !batch->next)
		return;
	for (struct writer_request *r = batch; r; r = next) {
		next = r->next;
		r->next = NULL;
		(void)batch_try(w, r);
		r->next = next;
	}
}

/* Waits for requests and takes them all; NULL at the end. */
static struct writer_request *batch_take(struct writer *w)
{
	struct writer_request *batch;

	(void)pthread_mutex_lock(&w->mutex);
	while (!w->first && !w->closing)
		(void)pthread_cond_wait(&w->work, &w->mutex);
	batch = w->first;
	w->first = NULL;
	w->last = &w->first;
	(void)pthread_mutex_unlock(&w->mutex);
	return batch;
}

/* After this the requests are gone.  The hook comes after: who it wakes finds all of this in the database. */
static void batch_done(struct writer *w, struct writer_request *batch)
{
	struct writer_request *next;
	store_hook *hook;
	void *arg;

	(void)pthread_mutex_lock(&w->mutex);
	for (struct writer_request *r = batch; r; r = next) {
		next = r->next;
		r->done = 1;
		(void)pthread_cond_signal(&r->woken);
	}
	hook = w->hook;
	arg = w->hook_arg;
	(void)pthread_mutex_unlock(&w->mutex);
	for (size_t i = 0; hook && i < w->nnotes; i++)
		hook(arg, w->notes[i].change, w->notes[i].submission);
	w->nnotes = 0;
}

static void *writer_main(void *arg)
{
	struct writer *w = arg;
	struct writer_request *batch;

	while ((batch = batch_take(w))) {
		batch_run(w, batch);
		batch_done(w, batch);
	}
	return NULL;
}

/* Signals are for the program's own threads. */
static int thread_start(struct writer *w)
{
	sigset_t all, old;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&w->thread, NULL, writer_main, w);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

int writer_start(struct writer *w, const struct db *db, struct store_sqlite *s, struct err *e)
{
	*w = (struct writer){.db = *db, .store = s};
	w->last = &w->first;
	(void)pthread_mutex_init(&w->mutex, NULL);
	(void)pthread_cond_init(&w->work, NULL);
	errno = thread_start(w);
	if (errno == 0)
		return 0;
	(void)err_sys(e, "store: start the writer thread");
	(void)pthread_cond_destroy(&w->work);
	(void)pthread_mutex_destroy(&w->mutex);
	return -1;
}

void writer_stop(struct writer *w)
{
	(void)pthread_mutex_lock(&w->mutex);
	w->closing = 1;
	(void)pthread_cond_signal(&w->work);
	(void)pthread_mutex_unlock(&w->mutex);
	(void)pthread_join(w->thread, NULL);
	(void)pthread_cond_destroy(&w->work);
	(void)pthread_mutex_destroy(&w->mutex);
	free(w->notes);
	db_close(&w->db);
}

int writer_call(struct writer *w, const struct writer_verb *verb, void *arg, struct err *e)
{
	struct writer_request r = {.verb = verb, .arg = arg, .e = e};

	(void)pthread_cond_init(&r.woken, NULL);
	(void)pthread_mutex_lock(&w->mutex);
	*w->last = &r;
	w->last = &r.next;
	(void)pthread_cond_signal(&w->work);
	while (!r.done)
		(void)pthread_cond_wait(&r.woken, &w->mutex);
	(void)pthread_mutex_unlock(&w->mutex);
	(void)pthread_cond_destroy(&r.woken);
	if (r.rc < 0 && e->num == EIO)
		(void)err_wrap(e, "store: %s", verb->name);
	return r.rc;
}

int writer_tell(struct writer *w, enum store_change change, const char *submission, struct err *e)
{
	if (w->nnotes == w->room) {
		size_t room = w->room ? 2 * w->room : 64;
		struct writer_note *notes = reallocarray(w->notes, room, sizeof(*notes));

		if (!notes)
			return err_sys(e, "store: list of changes");
		w->notes = notes;
		w->room = room;
	}
	w->notes[w->nnotes].change = change;
	memcpy(w->notes[w->nnotes].submission, submission, STORE_ID_LEN + 1);
	w->nnotes++;
	return 0;
}
