#include "judge/grpc_rpc.h"

#include "judge/api.h"
#include "judge/grpc_bytes.h"
#include "judge/grpc_method.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/log.h"
#include "proto/scope.h"

/*
 * What one thread wrote before it gave a tag to the core, the thread that gets the tag back sees.  ThreadSanitizer cannot know,
 * the core is not built with it; so it is told.
 */
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#define GIVE(tag) __tsan_release(tag)
#define TAKE(tag) __tsan_acquire(tag)
#else
#define GIVE(tag) ((void)(tag))
#define TAKE(tag) ((void)(tag))
#endif

/*
 * Each operation that the core works on has a tag, which holds a reference to the call; the call itself holds one more until
 * it has ended.  The memory goes with the last reference.
 */
struct tag {
	struct rpc *rpc;
	void (*handle)(struct rpc *r, int success);
};

enum phase {
	PHASE_BUSY,    /* a step runs, or a message is on its way out: exactly one party acts */
	PHASE_READING, /* waits for a request */
	PHASE_ASLEEP,  /* waits for rpc_wake() */
	PHASE_ENDED,
};

struct rpc {
	struct rpc_home *home;
	struct rpc *next, **link; /* home->first, guarded by home->lock */
	const struct rpc_method *method;
	grpc_call *core;
	grpc_call_details details;
	grpc_metadata_array metadata;
	ProtobufCMessage *request;
	void *state;
	struct tag requested, received, sent, closed, woken_up;
	grpc_byte_buffer *buffer; /* written by the core before `received` */
	int close_flag;           /* written by the core before `closed` */
	unsigned streams;         /* 1 when it counts as one in home->streams */

	pthread_mutex_t lock; /* guards the rest, and calls into the core with a batch */
	enum phase phase;
	unsigned refs;
	unsigned woken : 1;     /* since the last rpc_sleep() */
	unsigned cancelled : 1; /* by the client, its deadline or a broken connection */
	unsigned greeted : 1;   /* initial metadata have been sent */
	unsigned final : 1;     /* the status is on its way */
	unsigned late : 1;      /* brought no request in time */
	int64_t reading_us;     /* since when it is PHASE_READING */
};

static void release(struct rpc *r)
{
	struct rpc_home *home = r->home;
	unsigned left;

	pthread_mutex_lock(&r->lock);
	left = --r->refs;
	pthread_mutex_unlock(&r->lock);
	if (left > 0)
		return;
	if (r->core)
		grpc_call_unref(r->core);
	if (r->buffer)
		grpc_byte_buffer_destroy(r->buffer);
	if (r->request)
		protobuf_c_message_free_unpacked(r->request, NULL);
	grpc_call_details_destroy(&r->details);
	grpc_metadata_array_destroy(&r->metadata);
	pthread_mutex_destroy(&r->lock);
	free(r);
	pthread_mutex_lock(&home->lock);
	if (--home->alive == 0)
		pthread_cond_broadcast(&home->none_alive);
	pthread_mutex_unlock(&home->lock);
}

/* Puts the call among those going on, unless there are too many. */
static int enter(struct rpc *r, struct api_status *st)
{
	struct rpc_home *home = r->home;
	unsigned stream = r->method && r->method->kind != RPC_UNARY;
	int failed = 0;

	pthread_mutex_lock(&home->lock);
	if (home->draining)
		failed = api_fail(st, API_UNAVAILABLE, "the server is shutting down; try again");
	else if (home->calls >= home->calls_max || (stream && home->streams >= home->streams_max))
		failed = api_fail(st, API_RESOURCE_EXHAUSTED, "too many calls at once; try later");
	r->streams = stream;
	home->calls++;
	home->streams += stream;
	r->next = home->first;
	r->link = &home->first;
	if (r->next)
		r->next->link = &r->next;
	home->first = r;
	pthread_mutex_unlock(&home->lock);
	return failed;
}

static void leave(struct rpc *r)
{
	struct rpc_home *home = r->home;

	pthread_mutex_lock(&home->lock);
	home->calls--;
	home->streams -= r->streams;
	*r->link = r->next;
	if (r->next)
		r->next->link = r->link;
	pthread_mutex_unlock(&home->lock);
}

/* The acting party has nothing more to do for this call. */
static void end(struct rpc *r)
{
	int answered;

	pthread_mutex_lock(&r->lock);
	r->phase = PHASE_ENDED;
	answered = r->final;
	pthread_mutex_unlock(&r->lock);
	if (!answered)
		grpc_call_cancel(r->core, NULL);
	if (r->method && r->method->close)
		r->method->close(r);
	leave(r);
	release(r);
}

/* With the lock held.  The core refuses a batch only when we break its rules. */
static int start(struct rpc *r, const grpc_op *ops, size_t n, struct tag *tag)
{
	grpc_call_error error;

	GIVE(tag);
	error = grpc_call_start_batch(r->core, ops, n, tag, NULL);
	if (error == GRPC_CALL_OK) {
		r->refs++;
		return 0;
	}
	log_event(LOG_ERROR, "grpc_batch_refused", "error=%s",
		  log_q(grpc_call_error_to_string(error)));
	return -1;
}

static void proceed(struct rpc *r)
{
	int cancelled;

	pthread_mutex_lock(&r->lock);
	cancelled = r->cancelled;
	pthread_mutex_unlock(&r->lock);
	if (cancelled)
		end(r);
	else
		r->method->step(r);
}

/* One batch: what is still to be sent before, a message or not, a status or not. */
static void transmit(struct rpc *r, const ProtobufCMessage *message, const struct api_status *st)
{
	grpc_byte_buffer *buffer = message ? grpc_bytes_pack(message) : NULL;
	grpc_slice details = grpc_slice_from_copied_string(st ? st->message : "");
	grpc_op ops[3] = {0};
	size_t n = 0;
	int failed;

	pthread_mutex_lock(&r->lock);
	if (!r->greeted)
		ops[n++].op = GRPC_OP_SEND_INITIAL_METADATA;
	if (message) {
		ops[n].op = GRPC_OP_SEND_MESSAGE;
		ops[n++].data.send_message.send_message = buffer;
	}
	if (st) {
		ops[n].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
		ops[n].data.send_status_from_server.status = (grpc_status_code)st->code;
		ops[n++].data.send_status_from_server.status_details = &details;
	}
	r->greeted = 1;
	failed = start(r, ops, n, &r->sent);
	r->final = st && !failed;
	pthread_mutex_unlock(&r->lock);
	grpc_slice_unref(details);
	if (buffer)
		grpc_byte_buffer_destroy(buffer);
	if (failed)
		end(r);
}

void rpc_send(struct rpc *r, const ProtobufCMessage *message)
{
	transmit(r, message, NULL);
}

void rpc_reply(struct rpc *r, const ProtobufCMessage *message)
{
	struct api_status ok = {.code = API_OK};

	transmit(r, message, &ok);
}

void rpc_finish(struct rpc *r, const struct api_status *st)
{
	struct api_status ok = {.code = API_OK};

	transmit(r, NULL, st ? st : &ok);
}

static void turn_away(struct rpc *r)
{
	struct api_status st;

	api_fail(&st, API_UNAVAILABLE, "the server is shutting down; try again");
	rpc_finish(r, &st);
}

/* Waits for a request; what is drained meanwhile is woken out of it. */
static void read_request(struct rpc *r)
{
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
	int failed;

	op.data.recv_message.recv_message = &r->buffer;
	pthread_mutex_lock(&r->lock);
	if (r->method->kind == RPC_BIDI && rpc_draining(r)) {
		pthread_mutex_unlock(&r->lock);
		turn_away(r);
		return;
	}
	r->phase = PHASE_READING;
	r->reading_us = io_monotonic_us();
	failed = start(r, &op, 1, &r->received);
	pthread_mutex_unlock(&r->lock);
	if (failed)
		end(r);
}

int rpc_sleep(struct rpc *r)
{
	int woken, cancelled;

	pthread_mutex_lock(&r->lock);
	woken = r->woken;
	cancelled = r->cancelled;
	r->woken = 0;
	if (!woken && !cancelled)
		r->phase = PHASE_ASLEEP;
	pthread_mutex_unlock(&r->lock);
	if (cancelled)
		end(r);
	return cancelled || !woken;
}

/* An empty batch comes straight back through the queue: the step runs on one of its threads, not on the waker's. */
void rpc_wake(struct rpc *r)
{
	pthread_mutex_lock(&r->lock);
	if (r->phase == PHASE_ASLEEP ||
	    (r->phase == PHASE_READING && r->method->kind == RPC_BIDI && rpc_draining(r))) {
		r->phase = PHASE_BUSY;
		(void)start(r, NULL, 0, &r->woken_up);
	} else {
		r->woken = 1;
	}
	pthread_mutex_unlock(&r->lock);
}

static void finish_late(struct rpc *r)
{
	struct api_status st;

	api_fail(&st, API_DEADLINE_EXCEEDED, "no request came within %d ms", r->home->request_ms);
	rpc_finish(r, &st);
}

static void on_woken_up(struct rpc *r, int success)
{
	int late;

	(void)success;
	pthread_mutex_lock(&r->lock);
	late = r->late;
	pthread_mutex_unlock(&r->lock);
	if (late)
		finish_late(r);
	else if (r->method->kind == RPC_BIDI)
		turn_away(r);
	else
		proceed(r);
}

static void on_sent(struct rpc *r, int success)
{
	int final;

	pthread_mutex_lock(&r->lock);
	final = r->final;
	pthread_mutex_unlock(&r->lock);
	if (final || !success)
		end(r);
	else if (r->method->kind == RPC_BIDI)
		read_request(r);
	else
		proceed(r);
}

static void on_closed(struct rpc *r, int success)
{
	int mine = 0;

	(void)success;
	pthread_mutex_lock(&r->lock);
	if (r->close_flag) {
		r->cancelled = 1;
		mine = r->phase == PHASE_ASLEEP;
		if (mine)
			r->phase = PHASE_BUSY;
	}
	pthread_mutex_unlock(&r->lock);
	if (mine)
		end(r);
}

/* Bytes to r->request. */
static int parse(struct rpc *r, grpc_byte_buffer *buffer, struct err *e)
{
	grpc_slice bytes;

	if (r->request)
		protobuf_c_message_free_unpacked(r->request, NULL);
	r->request = NULL;
	if (grpc_bytes_read(buffer, &bytes, e) < 0)
		return -1;
	r->request = grpc_bytes_unpack(r->method->request, bytes, e);
	grpc_slice_unref(bytes);
	return r->request ? 0 : -1;
}

static void take_request(struct rpc *r, grpc_byte_buffer *buffer)
{
	struct err e = {.msg = "request: missing"};
	struct api_status st;
	int failed = buffer ? parse(r, buffer, &e) : -1;

	if (buffer)
		grpc_byte_buffer_destroy(buffer);
	if (!buffer && r->method->kind == RPC_BIDI) {
		rpc_finish(r, NULL);
	} else if (failed) {
		api_fail(&st, API_INVALID_ARGUMENT, "%s", e.msg);
		rpc_finish(r, &st);
	} else {
		proceed(r);
	}
}

static void on_received(struct rpc *r, int success)
{
	grpc_byte_buffer *buffer;
	int mine, cancelled;

	pthread_mutex_lock(&r->lock);
	buffer = r->buffer;
	r->buffer = NULL;
	mine = r->phase == PHASE_READING;
	if (mine)
		r->phase = PHASE_BUSY;
	cancelled = r->cancelled || !success;
	pthread_mutex_unlock(&r->lock);
	if (mine && !cancelled) {
		take_request(r, buffer);
		return;
	}
	if (buffer)
		grpc_byte_buffer_destroy(buffer);
	if (mine)
		end(r);
}

static void on_requested(struct rpc *r, int success)
{
	grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
	struct api_status st = {.code = API_OK};

	if (!success) { /* the server shuts down */
		release(r);
		return;
	}
	if (rpc_accept(r->home) < 0)
		log_event(LOG_ERROR, "grpc_accept_failed", "%s", "");
	r->method = grpc_method_find(r->details.method);
	(void)enter(r, &st);
	op.data.recv_close_on_server.cancelled = &r->close_flag;
	pthread_mutex_lock(&r->lock);
	(void)start(r, &op, 1, &r->closed);
	pthread_mutex_unlock(&r->lock);
	if (st.code == API_OK && !r->method)
		api_fail(&st, API_UNIMPLEMENTED, "there is no such method");
	if (st.code == API_OK)
		read_request(r);
	else
		rpc_finish(r, &st);
}

int rpc_accept(struct rpc_home *home)
{
	struct rpc *r = calloc(1, sizeof(*r));
	grpc_call_error error;

	if (!r)
		return -1;
	r->home = home;
	pthread_mutex_lock(&home->lock);
	home->alive++;
	pthread_mutex_unlock(&home->lock);
	r->refs = 2; /* the call's own and that of `requested` */
	pthread_mutex_init(&r->lock, NULL);
	grpc_call_details_init(&r->details);
	grpc_metadata_array_init(&r->metadata);
	r->requested = (struct tag){r, on_requested};
	r->received = (struct tag){r, on_received};
	r->sent = (struct tag){r, on_sent};
	r->closed = (struct tag){r, on_closed};
	r->woken_up = (struct tag){r, on_woken_up};
	GIVE(&r->requested);
	error = grpc_server_request_call(home->server, &r->core, &r->details, &r->metadata,
					 home->queue, home->queue, &r->requested);
	if (error == GRPC_CALL_OK)
		return 0;
	r->refs = 1;
	release(r);
	return -1;
}

void rpc_event(void *tag, int success)
{
	struct tag *t = tag;
	struct rpc *r;

	TAKE(tag);
	r = t->rpc;
	t->handle(r, success);
	release(r);
}

/* A call that brings no request must not take its place for ever. */
static void sweep_one(struct rpc *r, int64_t now_us)
{
	pthread_mutex_lock(&r->lock);
	if (r->phase == PHASE_READING && r->method->kind != RPC_BIDI &&
	    now_us - r->reading_us > r->home->request_ms * 1000LL) {
		r->phase = PHASE_BUSY;
		r->late = 1;
		(void)start(r, NULL, 0, &r->woken_up);
	}
	pthread_mutex_unlock(&r->lock);
}

void rpc_sweep(struct rpc_home *home)
{
	int64_t now_us = io_monotonic_us();

	pthread_mutex_lock(&home->lock);
	for (struct rpc *r = home->first; r; r = r->next)
		sweep_one(r, now_us);
	pthread_mutex_unlock(&home->lock);
}

void rpc_drain(struct rpc_home *home)
{
	pthread_mutex_lock(&home->lock);
	home->draining = 1;
	for (struct rpc *r = home->first; r; r = r->next)
		rpc_wake(r);
	pthread_mutex_unlock(&home->lock);
}

void rpc_wait_gone(struct rpc_home *home)
{
	pthread_mutex_lock(&home->lock);
	while (home->alive > 0)
		pthread_cond_wait(&home->none_alive, &home->lock);
	pthread_mutex_unlock(&home->lock);
}

int rpc_draining(const struct rpc *r)
{
	return r->home->draining;
}

const struct rpc_method *rpc_method(const struct rpc *r)
{
	return r->method;
}

struct api *rpc_api(const struct rpc *r)
{
	return r->home->api;
}

const ProtobufCMessage *rpc_request(const struct rpc *r)
{
	return r->request;
}

void **rpc_state(struct rpc *r)
{
	return &r->state;
}
