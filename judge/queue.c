#include "judge/queue.h"

#include <time.h>

void queue_init(struct queue *q)
{
	pthread_condattr_t attr;

	q->count = 0;
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->rung, &attr);
	pthread_condattr_destroy(&attr);
}

void queue_release(struct queue *q)
{
	pthread_cond_destroy(&q->rung);
	pthread_mutex_destroy(&q->lock);
}

void queue_ring(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->count++;
	pthread_cond_broadcast(&q->rung);
	pthread_mutex_unlock(&q->lock);
}

uint64_t queue_count(struct queue *q)
{
	uint64_t count;

	pthread_mutex_lock(&q->lock);
	count = q->count;
	pthread_mutex_unlock(&q->lock);
	return count;
}

void queue_wait(struct queue *q, uint64_t seen, int timeout_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&q->lock);
	while (q->count == seen && pthread_cond_timedwait(&q->rung, &q->lock, &until) == 0)
		;
	pthread_mutex_unlock(&q->lock);
}
