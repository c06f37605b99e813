/*
 * api_internal.h - what the files of the api share: see api.h for what they do.
 */
#ifndef API_INTERNAL_H
#define API_INTERNAL_H

#include <pthread.h>

#include "judge/api.h"

#define API_HUB_BUCKETS  1024
#define API_POSITION_MAX 512

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

/* 0 when text has at most max bytes, 0 when value is one of the enum's: INVALID_ARGUMENT otherwise. */
int api_check_text(const char *field, const char *text, size_t max, struct api_status *st);
int api_check_enum(const char *field, const ProtobufCEnumDescriptor *type, int value,
		   struct api_status *st);

/*
 * Pages of a list.  scope: NULL-terminated; the kind of list and its filters.  position is the store's, "" at the start and at the
 * end; read_token() writes API_POSITION_MAX bytes at most.  make_token() returns heap memory, or NULL with *st.
 */
int api_page_size(uint32_t asked, uint32_t *size, struct api_status *st);
int api_read_token(const char *token, const char *const *scope, char *position,
		   struct api_status *st);
char *api_make_token(const char *const *scope, const char *position, struct api_status *st);

/* A new array of n pointers, or NULL with INTERNAL. */
void *api_alloc(size_t n, size_t size, struct api_status *st);
char *api_strdup(const char *text, struct api_status *st);

api_handler api_submit, api_list_submissions, api_list_problems;
api_handler api_list_judgements, api_create_rejudging, api_get_rejudging, api_list_rejudgings,
	api_apply_rejudging, api_cancel_rejudging;

#endif
