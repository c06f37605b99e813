/*
 * store_sqlite_rejudge.h - rejudgings, inside the SQLite store.
 *
 * A rejudging of very many submissions must not keep others waiting.  Its submissions are matched by a reader and then added
 * in batches; their judgements and jobs are made one by one, when a worker has nothing else to do; and what has to be done for
 * each submission when the rejudging has ended (tell the watchers, drop the job) is done in batches again: it is "settled".
 * Only the moment in which it is applied is one transaction.  What a crash interrupts, opening the store takes up.
 */
#ifndef STORE_SQLITE_REJUDGE_H
#define STORE_SQLITE_REJUDGE_H

#include "judge/store.h"

struct db;
struct err;
struct judgement;
struct store_sqlite;

#define REJUDGING_BATCH 200 /* submissions a transaction: some milliseconds */

/* For claim, within its transaction: makes the judgement and the job of the next submission.  1: made, 0: nothing waits. */
int rejudging_next(struct db *db, struct err *e);

/* For the end of a judgement of a rejudging: keeps and counts its verdict. */
int rejudging_judged(struct db *db, const struct judgement *j, Judge__V1__Verdict verdict,
		     struct err *e);

/* For opening: drops what was never acknowledged, settles what has ended. */
int rejudging_resume(struct store_sqlite *s, struct err *e);

/* Settles all that have ended.  Any number of threads may do it at once. */
int rejudging_settle(struct store_sqlite *s, struct err *e);

/* Drops one that is still being made, by number. */
int rejudging_discard(struct store_sqlite *s, int64_t number, struct err *e);

struct rejudging_item {
	int64_t submission; /* its number */
	size_t version;     /* of its problem: index of versions */
};

/*
 * The submissions that match, by number, ascending, and the problem version that each is to be judged by.  All of one moment: a
 * problem that is replaced while they are added makes no difference.  Released by rejudging_match_release().
 */
struct rejudging_match {
	const Judge__V1__SubmissionFilter *filter;
	int same_version;
	struct rejudging_item *items;
	size_t n, room;
	char (*versions)[STORE_HASH_LEN + 1]; /* different ones: few */
	size_t nversions;
	uint32_t left_out;
};

void rejudging_match_release(struct rejudging_match *m);

/* A store_sqlite_reading on a struct rejudging_match; fails as store_create_rejudging() does. */
int rejudging_find(struct db *db, void *match, struct err *e);

#endif
