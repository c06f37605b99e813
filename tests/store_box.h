/*
 * store_box.h - a fresh store for a test, with a problem in it, and short ways to say the usual things.
 *
 * One box a process: Criterion runs each test in its own.  box_close() is every suite's .fini and removes all files.
 */
#ifndef STORE_BOX_H
#define STORE_BOX_H

#include "judge/store.h"
#include "proto/err.h"

struct box {
	char dir[64], url[160];
	struct store *s;
	struct err e; /* of the last call that failed */
};

extern struct box box;

/* Opens a new store of this kind ("sqlite") and adds problem "sum" with version box_version. */
void box_open(const char *kind);
void box_reopen(void);
void box_close(void);

extern const char box_version[STORE_HASH_LEN + 1];
#define BOX_LEASE_US (60 * 1000000LL)

/* A problem of this name and version. */
int box_add_problem(const char *name, const char *version);

/* A submission that every field of is said here; the caller may change it before storing it. */
struct store_submission box_submission(const char *author, const char *request_id);

/* Stores one, asserts that it worked; returns its id in one of eight buffers. */
const char *box_submit(const char *author);

/* Claims and asserts that there was a job.  The job is released by the caller. */
void box_claim(struct store_job *job);
int box_finish(const struct store_job *job, Judge__V1__Verdict verdict);

/* Appends COMPILING, COMPILED and one TEST event. */
int box_progress(const struct store_job *job);

/* The state of a submission, its number of events and of FINISHED ones; asserts that their numbers have no gap. */
struct box_life {
	Judge__V1__State state;
	Judge__V1__Verdict verdict;
	uint32_t attempt;
	size_t events, restarts, ends;
	char message[256];
};
struct box_life box_life(const char *id);

#endif
