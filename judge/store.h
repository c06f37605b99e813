/*
 * store.h - what judged remembers, as verbs of the domain.
 *
 * Each verb is one transaction and is durable when it returns 0.  Calls may come from any thread and block.  The
 * implementations (store_sqlite.c; PostgreSQL later) are chosen by the URL given to store_open(); callers know only this file,
 * and tests/test_store.c and test_store_rejudge.c hold the contract that each must pass.
 *
 *   submission (immutable)  1 --- n  judgement (attempts, verdict; one is current)  1 --- n  run
 *
 * Failure is -1 with e->num: ENOENT unknown id or name · EEXIST request id used with other content · ESTALE this (judgement,
 * attempt) is no longer the current one: throw the work away · EALREADY finished or cancelled already · ENOSPC queue full ·
 * EINVAL a position that this store did not make · EBUSY not now, the message says why · ENODATA nothing matches · EAGAIN the
 * same request is being served · anything else: the database failed.
 *
 * Messages of judge.v1 that come out are owned by the caller (free with ..._free_unpacked(m, NULL)); those that go in are
 * borrowed.
 */
#ifndef STORE_H
#define STORE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/judge.pb-c.h"

struct err;
struct store;

#define STORE_ID_LEN   32 /* hexadecimal digits of 128 random bits */
#define STORE_HASH_LEN 64 /* hexadecimal digits of a SHA-256 */

/* How often a job may fail by its own fault before it is a JUDGE_ERROR, and how often its lease may be lost. */
#define STORE_MAX_FAULTS      3
#define STORE_MAX_LOST_LEASES 10

struct store_problem { /* released by store_problem_release() */
	char *name, *title;
	char version[STORE_HASH_LEN + 1];
	char *manifest; /* JSON: all that a worker needs (problem.h makes and reads it) */
	Judge__V1__Problem *summary; /* what the API shows of it */
};

struct store_submission { /* to be stored; borrowed */
	const char *problem, *problem_version, *language, *author, *request_id;
	uint32_t tests_total;
	Judge__V1__SourceFile *const *sources;
	size_t nsources;
	uint32_t max_queued; /* ENOSPC when as many are waiting; 0: no limit */
};

struct store_job { /* claimed; released by store_job_release() */
	char submission[STORE_ID_LEN + 1];
	int64_t judgement;
	uint32_t attempt;
	uint32_t lost_leases; /* from the second on, run it alone on this node */
	uint32_t tests_total;
	char *problem, *problem_version, *language;
	Judge__V1__SourceFile **sources;
	size_t nsources;
};

struct store_result { /* borrowed */
	Judge__V1__Verdict verdict;
	const char *message, *compiler_message;
	Judge__V1__Run *const *runs;
	size_t nruns;
	const Judge__V1__Evidence *evidence; /* may be NULL */
	const Judge__V1__Score *score;       /* NULL: none */
};

struct store_filter { /* NULL, "" or 0: any */
	const char *problem, *language, *author;
	Judge__V1__State state;
	Judge__V1__Verdict verdict;
};

struct store_rejudging { /* to be made; borrowed */
	const Judge__V1__SubmissionFilter
		*filter; /* not empty; "all" only if nothing else is set */
	const char *reason, *request_id;
	int same_version;
	int validate_only; /* count, and fail as it would, but store nothing */
};

struct store_rejudging_made {
	char id[STORE_ID_LEN + 1]; /* "" for validate_only: then there are */
	uint32_t total, left_out;
};

/* What has been committed; see store_on_commit(). */
enum store_change { STORE_QUEUED, STORE_EVENTS };
typedef void store_hook(void *arg, enum store_change change, const char *submission);

/*
 * Opens or makes the store: "sqlite:DIR" keeps it in that folder (created 0700, refused when somebody else could read it).
 * Opening starts a new incarnation: jobs that an earlier process of this node held are released at once (a lost lease each).
 * A second process on the same SQLite store is refused.
 */
struct store *store_open(const char *url, struct err *e);
void store_close(struct store *s);
const char *store_kind(const struct store *s); /* "sqlite" */

/* A folder of this machine, 0700, that is this process's alone while the store is open; NULL: this store has none. */
const char *store_folder(const struct store *s);

/*
 * The hook is called after each commit from a thread of the store: it must return quickly and call no verb.  Set it before
 * anything else runs.
 */
void store_on_commit(struct store *s, store_hook *hook, void *arg);

/* Content-addressed bytes.  hash has STORE_HASH_LEN + 1 bytes.  Storing the same again is no error. */
int store_put_blob(struct store *s, const void *data, size_t len, char *hash, struct err *e);
int store_get_blob(struct store *s, const char *hash, char **data, size_t *len, struct err *e);

/*
 * Problem versions never change; adding one makes it the current one of its name.  One that is there already stays as it was first
 * stored and becomes the current one again.
 */
int store_add_problem(struct store *s, const struct store_problem *p, struct err *e);
int store_get_problem(struct store *s, const char *name, const char *version /* NULL: current */,
		      struct store_problem *out, struct err *e);
int store_list_problems(struct store *s, const char *after_name, uint32_t max,
			Judge__V1__Problem ***out, size_t *n, struct err *e);
void store_problem_release(struct store_problem *p);

/*
 * Submission, judgement, job and the QUEUED event in one transaction.  id has STORE_ID_LEN + 1 bytes.  *existed: this request
 * id had been stored with the same content.
 */
int store_submit(struct store *s, const struct store_submission *sub, char *id, int *existed,
		 struct err *e);
int store_get_submission(struct store *s, const char *id, int with_sources,
			 Judge__V1__Submission **out, struct err *e);
/* Newest first.  before: "" or the *next of the call before; *next is "" at the end, the caller frees it. */
int store_list_submissions(struct store *s, const struct store_filter *f, const char *before,
			   uint32_t max, Judge__V1__Submission ***out, size_t *n, char **next,
			   struct err *e);
/* EALREADY when finished; cancelling a cancelled one is fine. */
int store_cancel(struct store *s, const char *id, struct err *e);
/* Events with a greater seq, in order, at most max.  *ended: nothing can follow the events given out. */
int store_events(struct store *s, const char *id, uint64_t after_seq, uint32_t max,
		 Judge__V1__Event ***out, size_t *n, int *ended, struct err *e);
int store_counts(struct store *s, uint32_t *queued, uint32_t *running, struct err *e);

/*
 * The worker's verbs.  claim takes the oldest waiting job, counts up its attempt and gives a lease by the database's clock (it
 * also takes jobs whose lease has run out); 1: *job is filled, 0: nothing to do.  An attempt after the first appends RESTARTED.
 */
int store_claim(struct store *s, const char *worker, int64_t lease_us, struct store_job *job,
		struct err *e);
void store_job_release(struct store_job *job);
int store_renew(struct store *s, const struct store_job *job, int64_t lease_us, struct err *e);
/* seq, at_us, attempt and tests_total of each event are set by the store. */
int store_append_events(struct store *s, const struct store_job *job,
			Judge__V1__Event *const *events, size_t n, struct err *e);
/*
 * Result, runs and the FINISHED event, only if (judgement, attempt) is still current; otherwise ESTALE and nothing changes.  An
 * attempt stays current when its lease runs out, until somebody else claims the job: a late result that nobody overtook counts.
 */
int store_finish(struct store *s, const struct store_job *job, const struct store_result *r,
		 struct err *e);
/* Draining: gives the job back, free of charge. */
int store_hand_back(struct store *s, const struct store_job *job, struct err *e);
/* The job itself broke this attempt: it waits again, or becomes a JUDGE_ERROR with this reason at the last fault. */
int store_fault(struct store *s, const struct store_job *job, const char *reason, struct err *e);

/*
 * Rejudgings.  Their judgements are claimed like others, when nothing else waits, but are seen in no submission and tell nobody
 * anything until the rejudging is applied.
 *
 * create chooses the submissions that match and have a verdict, and fails with ENODATA when there are none, with EBUSY when one
 * of them is in another open rejudging or one that is named by its id has no verdict, with ENOENT when an id is unknown, with
 * EEXIST and EAGAIN for its request id; then nothing is stored.  It is several transactions, so that many submissions do not
 * keep others waiting; what a crash leaves of it is gone when the store is opened again.
 */
int store_create_rejudging(struct store *s, const struct store_rejudging *r,
			   struct store_rejudging_made *out, struct err *e);
int store_get_rejudging(struct store *s, const char *id, Judge__V1__Rejudging **out, struct err *e);
/* Newest first, those made before the one with this id ("": from the newest on). */
int store_list_rejudgings(struct store *s, const char *before, uint32_t max,
			  Judge__V1__Rejudging ***out, size_t *n, struct err *e);
/* Its submissions, oldest first, behind the one with this id ("": from the first on). */
int store_list_rejudged(struct store *s, const char *id, const char *after, int only_changed,
			uint32_t max, Judge__V1__RejudgedSubmission ***out, size_t *n,
			struct err *e);
/* Which verdicts become which, counted; of what is judged. */
int store_list_changes(struct store *s, const char *id, Judge__V1__VerdictChange ***out, size_t *n,
		       struct err *e);
/*
 * Makes the new judgements the current ones, all at once, and appends a REJUDGED event to each submission (a crash between the
 * two is made up for when the store is opened).  EBUSY while submissions are still to be judged, and when new verdicts are
 * JUDGE_ERROR and these are not allowed; EALREADY when it was cancelled.  Applying it again is fine.
 */
int store_apply_rejudging(struct store *s, const char *id, int allow_judge_errors, struct err *e);
/* EALREADY when it was applied; cancelling it again is fine. */
int store_cancel_rejudging(struct store *s, const char *id, struct err *e);
/* All judgements of a submission, oldest first. */
int store_list_judgements(struct store *s, const char *id, int with_runs,
			  Judge__V1__Judgement ***out, size_t *n, struct err *e);

#endif
