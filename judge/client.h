/*
 * client.h - a blocking client of judge.v1 on gRPC's C core.
 *
 * A struct client is a connection that is made when first needed and made again when it breaks; it may be used by several
 * threads.  A stream belongs to one thread.  The first client_open() starts the core: the process must not fork after it.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "judge/api_status.h"

struct client;
struct client_stream;
struct err;

/*
 * ca: PEM file with the certificates to trust; NULL: no TLS.  timeout_ms bounds each call but not streams.  Fails only when
 * that file is no good.
 */
struct client *client_open(const char *server, const char *ca, int timeout_ms, struct err *e);
void client_close(struct client *c);

/* One call of the service judge.v1.Judge: the answer, which the caller owns, or NULL with *st. */
ProtobufCMessage *client_call(struct client *c, const char *method, const ProtobufCMessage *request,
			      const ProtobufCMessageDescriptor *reply_type, struct api_status *st);

struct client_bytes {
	void *data; /* of a reply: freed with free() */
	size_t len;
};

/* One call of any service with bytes ("/judge.v1.Judge/Submit"): 0 with *reply, or -1 with *st. */
int client_call_bytes(struct client *c, const char *path, const struct client_bytes *request,
		      struct client_bytes *reply, struct api_status *st);

/* A call with many messages each way.  NULL when out of memory. */
struct client_stream *client_stream_open(struct client *c, const char *path,
					 int timeout_ms /* 0: no limit */);
/* Sends one message; last: there will be no other.  -1 when the call is over: client_stream_next() says why. */
int client_stream_send(struct client_stream *s, const ProtobufCMessage *message, int last);
/* 1: *message is the next one, owned by the caller.  0: the server ended with OK.  -1: it ended otherwise, see *st. */
int client_stream_next(struct client_stream *s, const ProtobufCMessageDescriptor *type,
		       ProtobufCMessage **message, struct api_status *st);
/* Cancels what is still going on. */
void client_stream_close(struct client_stream *s);

#endif
