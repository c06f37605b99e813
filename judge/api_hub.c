#include <errno.h>
#include <time.h>

#include "judge/api_internal.h"
#include "proto/err.h"

#define TICK_SECONDS 1

/* Ids are random hexadecimal digits, so the first ones are a hash already. */
static struct api_watcher **bucket_of(struct api_hub *hub, const char *id)
{
	unsigned hash = 0;

	for (size_t i = 0; i < 8 && id[i]; i++)
		hash = hash * 31 + (unsigned char)id[i];
	return &hub->buckets[hash % API_HUB_BUCKETS];
}

/* With the lock held; id NULL: everybody. */
static void wake_list(struct api_watcher *w, const char *id)
{
	for (struct api_watcher *next; w; w = next) {
		next = w->next;
		if (!id || strcmp(w->id, id) == 0)
			w->wake(w);
	}
}

static void wake_everybody(struct api_hub *hub)
{
	for (size_t i = 0; i < API_HUB_BUCKETS; i++)
		wake_list(hub->buckets[i], NULL);
}

/* Events that another process has written reach nobody's hook: look now and then. */
static void *tick(void *arg)
{
	struct api_hub *hub = arg;
	struct timespec at;

	pthread_mutex_lock(&hub->lock);
	clock_gettime(CLOCK_MONOTONIC, &at);
	while (!hub->stop) {
		at.tv_sec += TICK_SECONDS;
		while (!hub->stop &&
		       pthread_cond_timedwait(&hub->stopping, &hub->lock, &at) != ETIMEDOUT)
			;
		if (!hub->stop)
			wake_everybody(hub);
	}
	pthread_mutex_unlock(&hub->lock);
	return NULL;
}

int api_hub_start(struct api_hub *hub, struct err *e)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&hub->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&hub->stopping, &monotonic);
	pthread_condattr_destroy(&monotonic);
	errno = pthread_create(&hub->ticker, NULL, tick, hub);
	if (errno != 0)
		return err_sys(e, "api: start a thread");
	return 0;
}

void api_hub_stop(struct api_hub *hub)
{
	pthread_mutex_lock(&hub->lock);
	hub->stop = 1;
	pthread_cond_signal(&hub->stopping);
	pthread_mutex_unlock(&hub->lock);
	pthread_join(hub->ticker, NULL);
	pthread_cond_destroy(&hub->stopping);
	pthread_mutex_destroy(&hub->lock);
}

void api_committed(struct api *a, const char *submission)
{
	pthread_mutex_lock(&a->hub.lock);
	wake_list(*bucket_of(&a->hub, submission), submission);
	pthread_mutex_unlock(&a->hub.lock);
}

void api_watch(struct api *a, struct api_watcher *w)
{
	struct api_watcher **head = bucket_of(&a->hub, w->id);

	pthread_mutex_lock(&a->hub.lock);
	w->next = *head;
	w->link = head;
	if (w->next)
		w->next->link = &w->next;
	*head = w;
	pthread_mutex_unlock(&a->hub.lock);
}

void api_unwatch(struct api *a, struct api_watcher *w)
{
	pthread_mutex_lock(&a->hub.lock);
	*w->link = w->next;
	if (w->next)
		w->next->link = w->link;
	w->link = NULL;
	pthread_mutex_unlock(&a->hub.lock);
}
