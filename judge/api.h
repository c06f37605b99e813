/*
 * api.h - what every transport does: the calls of judge.v1 on unpacked messages.
 *
 * A transport (gRPC, HTTP) checks the bytes with wire_check(), unpacks them and looks the call up in api_methods[]; all rules of
 * judge.proto about the contents of fields are kept here, so that no transport can forget one.  Handlers may run on any number
 * of threads at once; they block for as long as the store does.
 *
 * Watching is not a call with one answer: see api_events() and struct api_watcher.
 */
#ifndef API_H
#define API_H

#include <stddef.h>
#include <stdint.h>

#include "judge/api_status.h"
#include "judge/store.h"

struct err;
struct languages;
struct api;

struct api_config { /* all borrowed, kept for as long as the api lives */
	struct store *store;
	const struct languages *languages;
	uint32_t max_queued;   /* submissions waiting; 0: no limit */
	uint64_t source_bytes; /* of a submission, whatever the problem allows; 0: no limit */
	uint32_t workers;
	const char *version;
};

struct api *api_new(const struct api_config *config, struct err *e);
/* No watcher may be left. */
void api_free(struct api *a);

/* What sandboxd says it enforces (NULL-terminated, copied): shown by GetServerInfo.  From any thread. */
void api_set_layers(struct api *a, const char *const *layers);

/* To be called from the store's hook, for every change.  Quick, from any thread. */
void api_committed(struct api *a, const char *submission);

/*
 * One call: takes a request of the type said in its row, returns the answer, which the caller owns
 * (protobuf_c_message_free_unpacked()), or NULL with *st filled.
 */
typedef ProtobufCMessage *api_handler(struct api *a, const ProtobufCMessage *request,
				      struct api_status *st);

struct api_method {
	const char *name; /* "Submit" */
	const ProtobufCMessageDescriptor *request, *reply;
	api_handler *handler;
};

extern const struct api_method api_methods[]; /* every unary call of the service Judge */
extern const size_t api_nmethods;

/* Checks a WatchSubmissionRequest.  The submission need not exist: api_events() says so. */
int api_check_watch(const Judge__V1__WatchSubmissionRequest *q, struct api_status *st);

struct api_events { /* released by api_events_release() */
	Judge__V1__Event **items;
	size_t n;
	int ended; /* nothing will follow these */
};

/* The events after after_seq, at most some dozens; none when there are no new ones.  On failure *out is empty. */
int api_events(struct api *a, const char *id, uint64_t after_seq, struct api_events *out,
	       struct api_status *st);
void api_events_release(struct api_events *events);

/*
 * Somebody who wants to hear of one submission.  wake() is called after every commit that touched it and about once a second
 * besides (another node may have written); it says no more than "look again".  It runs under the hub's
 * lock: it must be quick and must not call back.  Once api_unwatch() has returned it is not called again.
 */
struct api_watcher {
	char id[STORE_ID_LEN + 1];
	void (*wake)(struct api_watcher *w);
	struct api_watcher *next, **link; /* of the hub */
};

void api_watch(struct api *a, struct api_watcher *w);
void api_unwatch(struct api *a, struct api_watcher *w);

#endif
