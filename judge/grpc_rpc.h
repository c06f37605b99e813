/*
 * grpc_rpc.h - one call on the server, whatever its method.
 *
 * A method is a row: its path, the type of its requests and a step function.  A step is run by one thread at a time, when a
 * request has come, when a message has gone out (RPC_STREAM) and when the call was woken; it must end in exactly one of
 * rpc_send(), rpc_finish(), rpc_reply() or a rpc_sleep() that returned 1, and not touch the call after that.
 */
#ifndef GRPC_RPC_H
#define GRPC_RPC_H

#include <pthread.h>

#include "judge/grpc_method.h"

struct api;
struct api_status;

/* What all calls of a server share.  The limits are constant, the rest is kept by grpc_rpc.c. */
struct rpc_home {
	grpc_server *server;
	grpc_completion_queue *queue;
	struct api *api;
	unsigned calls_max, streams_max;
	int request_ms; /* for the request of a call to come, but for RPC_BIDI */
	pthread_mutex_t lock;
	struct rpc *first;       /* calls going on */
	unsigned calls, streams; /* how many */
	unsigned alive;          /* struct rpc in memory, also those that wait for a call to come */
	pthread_cond_t none_alive;
	_Atomic int draining;
};

/* Asks the core for one more call; each call that comes asks for the next.  -1 when out of memory. */
int rpc_accept(struct rpc_home *home);
/* For each event of the queue, with the queue's tag. */
void rpc_event(void *tag, int success);
/* Ends the calls that have not brought their request in time; to be called now and then. */
void rpc_sweep(struct rpc_home *home);
/* From now on calls are refused and streams end, both with UNAVAILABLE. */
void rpc_drain(struct rpc_home *home);
/* Waits until no call is left in memory: after the server has stopped, and before the queue may be shut down. */
void rpc_wait_gone(struct rpc_home *home);

const struct rpc_method *rpc_method(const struct rpc *r);
struct api *rpc_api(const struct rpc *r);
/* The request: borrowed, good until the step ends. */
const ProtobufCMessage *rpc_request(const struct rpc *r);
/* What the method keeps with the call; NULL at first. */
void **rpc_state(struct rpc *r);
int rpc_draining(const struct rpc *r);

/* Sends a message (borrowed); when it has gone, calls step, or reads the next request of an RPC_BIDI. */
void rpc_send(struct rpc *r, const ProtobufCMessage *message);
/* Sends a message (borrowed) and ends the call with OK. */
void rpc_reply(struct rpc *r, const ProtobufCMessage *message);
/* Ends the call; st NULL: OK. */
void rpc_finish(struct rpc *r, const struct api_status *st);
/*
 * 1: the call sleeps, or is over; step is called when it is woken.  0: it was woken since the last rpc_sleep(): look again.
 */
int rpc_sleep(struct rpc *r);
/* From any thread, until the method's close() has returned. */
void rpc_wake(struct rpc *r);

#endif
