/*
 * grpc.h - the gRPC door of judged: judge.v1.Judge, health and reflection on one port.
 *
 * Built on gRPC's C core (<grpc/grpc.h>): a completion queue served by a handful of threads.  Every request goes through
 * wire_check() before it is unpacked.  A call that waits (a watcher) costs memory, never a thread, and has at most one message
 * on its way, so that a slow reader holds up nobody.
 *
 * The library owns the names grpc_*; ours end up beside them in one program, so this module is called grpc_front and its
 * calls are struct rpc.  After grpc_front_open() the process must not fork.
 */
#ifndef GRPC_H
#define GRPC_H

#include <stddef.h>

struct api;
struct err;
struct grpc_front;

struct grpc_front_options { /* borrowed during open */
	const char
		*listen; /* "127.0.0.1:50051", "[::]:50051", "unix:PATH"; port 0 takes a free one */
	const char *cert, *key; /* PEM files; both NULL: no TLS */
	size_t message_bytes;   /* longest request; 0: 16 MiB.  Longer: RESOURCE_EXHAUSTED */
	unsigned calls;   /* at once; 0: 1024.  More: RESOURCE_EXHAUSTED; streams get at most 3/4 */
	unsigned threads; /* 0: 8 */
	int request_ms; /* how long a call may take to bring its request; 0: 20 s.  Longer: DEADLINE_EXCEEDED */
};

/* Listens and answers from now on, with the api borrowed until close.  NULL with the reason on failure. */
struct grpc_front *grpc_front_open(const struct grpc_front_options *o, struct api *api,
				   struct err *e);

/* The port it listens on; 1 for a unix socket. */
int grpc_front_port(const struct grpc_front *f);

/*
 * Takes no new call, reports NOT_SERVING, ends every stream with UNAVAILABLE and lets the other calls finish; cancels what is
 * left after grace_ms.  Returns when no call is left and the threads are gone.  NULL is allowed.
 */
void grpc_front_close(struct grpc_front *f, int grace_ms);

#endif
