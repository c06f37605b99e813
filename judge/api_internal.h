/*
 * api_internal.h - what the files of the api share: see api.h for what they do.
 */
#ifndef API_INTERNAL_H
#define API_INTERNAL_H

#include <pthread.h>

#include "judge/api.h"

#define API_HUB_BUCKETS 1024

/* Wakes watchers; api_hub.c.  Everything in it is guarded by lock. */
struct api_hub {
	pthread_mutex_t lock;
	pthread_cond_t stopping;
	pthread_t ticker;
	int stop;
	struct api_watcher *buckets[API_HUB_BUCKETS];
};

struct api {
	struct api_config config;
	int64_t started_at_us;
	pthread_mutex_t layers_lock;
	char **layers; /* guarded by layers_lock */
	size_t nlayers;
	struct api_hub hub;
};

int api_hub_start(struct api_hub *hub, struct err *e);
void api_hub_stop(struct api_hub *hub);

/* A store's failure in the words of the API: what is the field it concerns. */
int api_store_failed(struct api_status *st, const struct err *e, const char *what);

/* 0 when text is an id: INVALID_ARGUMENT otherwise. */
int api_check_id(const char *text, struct api_status *st);

/* A new array of n pointers, or NULL with INTERNAL. */
void *api_alloc(size_t n, size_t size, struct api_status *st);
char *api_strdup(const char *text, struct api_status *st);

api_handler api_submit, api_list_submissions, api_list_problems;

#endif
