/*
 * queue.h - how idle workers learn that there may be something to do.
 *
 * The jobs themselves are in the store; this is only the bell.  A worker reads the count, looks into the store, and waits for
 * the count to change: a ring between looking and waiting is not lost.  All functions may be called from any thread.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <pthread.h>
#include <stdint.h>

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t rung;
	uint64_t count;
};

void queue_init(struct queue *q);
void queue_release(struct queue *q);

void queue_ring(struct queue *q);
uint64_t queue_count(struct queue *q);

/* Returns when the count is no longer seen, at the latest after timeout_ms. */
void queue_wait(struct queue *q, uint64_t seen, int timeout_ms);

#endif
