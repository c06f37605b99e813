/*
 * store_fixture.h - a fresh store for a test, with a problem in it, and short ways to say the usual things.
 *
 * One shelf a process: Criterion runs each test in its own.  shelf_close() is every suite's .fini and removes all files.
 */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include "judge/store.h"
#include "proto/err.h"

struct shelf {
	char dir[64], url[160];
	struct store *s;
	struct err e; /* of the last call that failed */
};

extern struct shelf box;

/* Opens a new store of this kind ("sqlite") and adds problem "sum" with version shelf_version. */
void shelf_open(const char *kind);
void shelf_reopen(void);
void shelf_close(void);

extern const char shelf_version[STORE_HASH_LEN + 1];
#define BOX_LEASE_US (60 * 1000000LL)

/* A problem of this name and version. */
int shelf_add_problem(const char *name, const char *version);

/* A submission that every field of is said here; the caller may change it before storing it. */
struct store_submission shelf_submission(const char *author, const char *request_id);

/* Stores one, asserts that it worked; returns its id in one of eight buffers. */
const char *shelf_submit(const char *author);

/* Claims and asserts that there was a job.  The job is released by the caller. */
void shelf_claim(struct store_job *job);
int shelf_finish(const struct store_job *job, Judge__V1__Verdict verdict);

/* Appends COMPILING, COMPILED and one TEST event. */
int shelf_progress(const struct store_job *job);

/* The state of a submission, its number of events and of FINISHED ones; asserts that their numbers have no gap. */
struct shelf_life {
	Judge__V1__State state;
	Judge__V1__Verdict verdict;
	uint32_t attempt;
	size_t events, restarts, ends, rejudged;
	Judge__V1__Verdict last; /* of the last event */
	char message[256];
};
struct shelf_life shelf_life(const char *id);

#endif
