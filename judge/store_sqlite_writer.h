/*
 * store_sqlite_writer.h - the one thread that writes: group commit.
 *
 * Callers queue a verb and sleep.  The thread takes all that wait, runs each inside a savepoint of one transaction (a verb
 * that fails undoes only itself), commits once, wakes everybody, and then calls the hook.  While it syncs the disk the next
 * batch gathers, so that many callers cost few syncs.  If the transaction is lost as a whole (disk full), each verb is tried
 * again by itself: a small one may still fit, and only those that do not fail.
 */
#ifndef STORE_SQLITE_WRITER_H
#define STORE_SQLITE_WRITER_H

#include <pthread.h>
#include <stddef.h>

#include "judge/store.h"
#include "judge/store_sqlite_db.h"

struct err;
struct store_sqlite;

struct writer_verb {
	const char *name;
	const char *points[2]; /* failpoints before and after the commit */
	/* Runs in the thread, within a transaction; returns -1 to undo itself.  It may be run again after a lost
	   transaction: what it hands out it must be able to hand out anew. */
	int (*run)(struct store_sqlite *s, void *arg, struct err *e);
};
#define WRITER_VERB(verb, function)                                                                \
	{                                                                                          \
		verb, {verb ".before", verb ".after"}, function                                    \
	}

struct writer_note { /* for the hook */
	enum store_change change;
	char submission[STORE_ID_LEN + 1];
};

struct writer {
	struct db db;
	struct store_sqlite *store;
	pthread_t thread;
	pthread_mutex_t mutex; /* guards the members down to hook_arg */
	pthread_cond_t work;
	struct writer_request *first, **last;
	int closing;
	store_hook *hook;
	void *hook_arg;
	struct writer_note *notes; /* the thread's own: what the batch in hand changed */
	size_t nnotes, room;
};

/* Takes over the connection (closed by writer_stop()) and starts the thread; on failure the connection stays the caller's. */
int writer_start(struct writer *w, const struct db *db, struct store_sqlite *s, struct err *e);
/* Ends the thread after what is queued. */
void writer_stop(struct writer *w);

/* Runs the verb; returns what it returned once that is on disk. */
int writer_call(struct writer *w, const struct writer_verb *verb, void *arg, struct err *e);

/* For verbs: tells the hook after the commit. */
int writer_tell(struct writer *w, enum store_change change, const char *submission, struct err *e);

#endif
