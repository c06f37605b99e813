/*
 * store_sqlite.h - the SQLite store, inside.
 *
 * Reading order: store_sqlite_schema.c (the tables), store_sqlite_sql.c (statements), store_sqlite_write.c (blobs, problems, submit, cancel), store_sqlite_job.c
 * (the worker's verbs), store_sqlite_judgement.c (what these share), store_sqlite_rejudge*.c (rejudgings), store_sqlite_read.c and _list.c (the verbs that look),
 * store_sqlite_writer.c (group commit), store_sqlite_db.c (statements), store_sqlite.c (folder, lock, opening).
 *
 * Writes go through the writer's one connection, reads through a few read-only ones: in WAL mode neither waits for the other.
 */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include <pthread.h>

#include "judge/store_ops.h"
#include "judge/store_sqlite_db.h"
#include "judge/store_sqlite_writer.h"

#define STORE_SQLITE_READERS 4

struct store_sqlite {
	struct store base;   /* first: a struct store * of this kind is a struct store_sqlite * */
	int lock;            /* the lock file, locked */
	int64_t incarnation; /* counted up by each opening; set before anybody else sees the store */
	uint8_t key[STORE_KEY_LEN];
	struct writer writer;
	pthread_mutex_t mutex; /* guards idle, nidle */
	pthread_cond_t returned;
	struct db readers[STORE_SQLITE_READERS];
	struct db *idle[STORE_SQLITE_READERS];
	size_t nidle;
};

/* Runs fn in one read transaction, so that all it reads is of one moment.  Returns what fn returned. */
typedef int store_sqlite_reading(struct db *db, void *arg, struct err *e);
int store_sqlite_read(struct store_sqlite *s, store_sqlite_reading *fn, void *arg, struct err *e);

static inline const char *store_or_null(const char *text)
{
	return text && *text ? text : NULL;
}

/* Counts up the incarnation and releases what earlier ones held; sets incarnation and key. */
int store_sqlite_begin(struct store_sqlite *s, struct err *e);

/* The source files of submission number n (not its id); the caller owns them, also after a failure. */
struct store_sqlite_sources {
	Judge__V1__SourceFile **files;
	size_t n;
};
int store_sqlite_sources(struct db *db, int64_t submission, struct store_sqlite_sources *out,
			 struct err *e);

/* The verbs, as in store.h. */
int store_sqlite_put_blob(struct store *s, const void *data, size_t len, char *hash, struct err *e);
int store_sqlite_get_blob(struct store *s, const char *hash, char **data, size_t *len,
			  struct err *e);
int store_sqlite_add_problem(struct store *s, const struct store_problem *p, struct err *e);
int store_sqlite_get_problem(struct store *s, const char *name, const char *version,
			     struct store_problem *out, struct err *e);
int store_sqlite_list_problems(struct store *s, const char *after_name, uint32_t max,
			       Judge__V1__Problem ***out, size_t *n, struct err *e);
int store_sqlite_submit(struct store *s, const struct store_submission *sub, char *id, int *existed,
			struct err *e);
int store_sqlite_get_submission(struct store *s, const char *id, int with_sources,
				Judge__V1__Submission **out, struct err *e);
int store_sqlite_list_submissions(struct store *s, const struct store_filter *f, const char *before,
				  uint32_t max, Judge__V1__Submission ***out, size_t *n,
				  char **next, struct err *e);
int store_sqlite_cancel(struct store *s, const char *id, struct err *e);
int store_sqlite_events(struct store *s, const char *id, uint64_t after_seq, uint32_t max,
			Judge__V1__Event ***out, size_t *n, int *ended, struct err *e);
int store_sqlite_counts(struct store *s, uint32_t *queued, uint32_t *running, struct err *e);
int store_sqlite_claim(struct store *s, const char *worker, int64_t lease_us, struct store_job *job,
		       struct err *e);
int store_sqlite_renew(struct store *s, const struct store_job *job, int64_t lease_us,
		       struct err *e);
int store_sqlite_append_events(struct store *s, const struct store_job *job,
			       Judge__V1__Event *const *events, size_t n, struct err *e);
int store_sqlite_finish(struct store *s, const struct store_job *job, const struct store_result *r,
			struct err *e);
int store_sqlite_hand_back(struct store *s, const struct store_job *job, struct err *e);
int store_sqlite_fault(struct store *s, const struct store_job *job, const char *reason,
		       struct err *e);
int store_sqlite_create_rejudging(struct store *s, const struct store_rejudging *r,
				  struct store_rejudging_made *out, struct err *e);
int store_sqlite_get_rejudging(struct store *s, const char *id, Judge__V1__Rejudging **out,
			       struct err *e);
int store_sqlite_list_rejudgings(struct store *s, const char *before, uint32_t max,
				 Judge__V1__Rejudging ***out, size_t *n, struct err *e);
int store_sqlite_list_rejudged(struct store *s, const char *id, const char *after, int only_changed,
			       uint32_t max, Judge__V1__RejudgedSubmission ***out, size_t *n,
			       struct err *e);
int store_sqlite_list_changes(struct store *s, const char *id, Judge__V1__VerdictChange ***out,
			      size_t *n, struct err *e);
int store_sqlite_apply_rejudging(struct store *s, const char *id, int allow_judge_errors,
				 struct err *e);
int store_sqlite_cancel_rejudging(struct store *s, const char *id, struct err *e);
int store_sqlite_list_judgements(struct store *s, const char *id, int with_runs,
				 Judge__V1__Judgement ***out, size_t *n, struct err *e);

#endif
