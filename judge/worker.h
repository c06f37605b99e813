/*
 * worker.h - threads that take jobs out of the store and bring verdicts back.
 *
 * Each worker claims a job under a lease, runs it (job.h) and finishes it.  A lease thread renews the leases; a watch thread, which
 * never touches the store, stops a job whose lease is about to end by our own clock, so that no job runs in two places.  What a
 * job breaks itself is counted against it (store_fault()); a sandboxd that is not there is not: the job is given back, and
 * nothing is claimed until sandboxd answers again.
 *
 * A cancelled job is noticed when its next event is refused or its lease is renewed, and is dropped.
 */
#ifndef WORKER_H
#define WORKER_H

#include <stdint.h>

struct compile_cache;
struct err;
struct languages;
struct queue;
struct store;
struct worker_pool;

struct worker_config { /* borrowed for as long as the pool */
	struct store *store;
	struct queue *bell; /* rung by the store's hook when there may be a job */
	const char *program_socket, *jury_socket;
	const struct languages *languages;
	unsigned workers; /* at least 1 */
	int64_t lease_us;
	size_t transcript_bytes;        /* of job.h */
	uint64_t cache_bytes;           /* of test data held in memory */
	struct compile_cache *compiled; /* NULL: compile always */
};

/* Starts at once.  NULL with *e: nothing is left running. */
struct worker_pool *worker_pool_open(const struct worker_config *config, struct err *e);

/*
 * Claims nothing more, lets the jobs that are going on finish for grace_ms, gives back those that do not, and ends all
 * threads.  NULL is allowed.
 */
void worker_pool_close(struct worker_pool *p, int grace_ms);

#endif
