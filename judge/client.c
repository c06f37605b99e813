#include "judge/client.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <grpc/support/log.h>

#include "judge/grpc_bytes.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define PEM_BYTES_MAX   (1 << 20)
#define REPLY_BYTES_MAX (64 << 20)
#define SERVICE         "/judge.v1.Judge/"

struct client {
	grpc_channel *channel;
	int timeout_ms;
};

/* Every call has a completion queue of its own, so waiting for one never takes an event of another. */
struct client_stream {
	grpc_completion_queue *queue;
	grpc_call *core;
	grpc_metadata_array head, tail;
	grpc_status_code code;
	grpc_slice details;
	int over; /* code and details are known */
};

static void be_silent(gpr_log_func_args *args)
{
	(void)args;
}

static grpc_channel_credentials *credentials(const char *ca, struct err *e)
{
	AUTO_FREE char *pem = NULL;
	grpc_channel_credentials *c;
	size_t len;

	if (!ca)
		return grpc_insecure_credentials_create();
	if (io_read_file(ca, PEM_BYTES_MAX, &pem, &len, e) < 0)
		return NULL;
	if (!strstr(pem, "-----BEGIN CERTIFICATE-----")) {
		err_set(e, "%s: holds no PEM certificate", ca);
		return NULL;
	}
	c = grpc_ssl_credentials_create(pem, NULL, NULL, NULL);
	if (!c)
		err_set(e, "%s: not usable as certificates to trust", ca);
	return c;
}

static grpc_arg int_arg(const char *key, int value)
{
	return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = value};
}

struct client *client_open(const char *server, const char *ca, int timeout_ms, struct err *e)
{
	grpc_arg args[] = {
		int_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, REPLY_BYTES_MAX),
		int_arg(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100),
		int_arg(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000),
		int_arg(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000),
		/* A watcher may hear nothing for long: ask whether the server is still there. */
		int_arg(GRPC_ARG_KEEPALIVE_TIME_MS, 20000),
		int_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000),
		int_arg(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0),
		int_arg(GRPC_ARG_ENABLE_HTTP_PROXY, 0),
		int_arg(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1),
	};
	grpc_channel_args all = {.num_args = ARRAY_LEN(args), .args = args};
	grpc_channel_credentials *creds;
	struct client *c = calloc(1, sizeof(*c));

	if (!c) {
		err_sys(e, "client");
		return NULL;
	}
	if (!grpc_is_initialized())
		gpr_set_log_function(be_silent);
	grpc_init();
	creds = credentials(ca, e);
	if (!creds) {
		grpc_shutdown();
		free(c);
		return NULL;
	}
	c->timeout_ms = timeout_ms;
	c->channel = grpc_channel_create(server, creds, &all);
	grpc_channel_credentials_release(creds);
	return c;
}

void client_close(struct client *c)
{
	if (!c)
		return;
	grpc_channel_destroy(c->channel);
	grpc_shutdown();
	free(c);
}

/* Runs one batch and waits for it.  The status that comes meanwhile is noted. */
static int run(struct client_stream *s, const grpc_op *ops, size_t n)
{
	int tag; /* only its address counts */

	if (grpc_call_start_batch(s->core, ops, n, &tag, NULL) != GRPC_CALL_OK)
		return -1;
	for (;;) {
		grpc_event ev = grpc_completion_queue_next(
			s->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);

		if (ev.type != GRPC_OP_COMPLETE)
			return -1;
		if (ev.tag == s)
			s->over = 1;
		if (ev.tag == &tag)
			return ev.success ? 0 : -1;
	}
}

static void wait_over(struct client_stream *s)
{
	while (!s->over) {
		grpc_event ev = grpc_completion_queue_next(
			s->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);

		if (ev.type != GRPC_OP_COMPLETE || ev.tag == s)
			s->over = 1;
	}
}

struct client_stream *client_stream_open(struct client *c, const char *path, int timeout_ms)
{
	struct client_stream *s = calloc(1, sizeof(*s));
	gpr_timespec deadline = gpr_inf_future(GPR_CLOCK_REALTIME);
	grpc_slice method = grpc_slice_from_copied_string(path);
	grpc_op ops[3] = {{.op = GRPC_OP_RECV_INITIAL_METADATA},
			  {.op = GRPC_OP_RECV_STATUS_ON_CLIENT},
			  {.op = GRPC_OP_SEND_INITIAL_METADATA}};

	if (!s) {
		grpc_slice_unref(method);
		return NULL;
	}
	if (timeout_ms > 0)
		deadline = gpr_time_add(gpr_now(GPR_CLOCK_REALTIME),
					gpr_time_from_millis(timeout_ms, GPR_TIMESPAN));
	s->queue = grpc_completion_queue_create_for_next(NULL);
	s->core = grpc_channel_create_call(c->channel, NULL, GRPC_PROPAGATE_DEFAULTS, s->queue,
					   method, NULL, deadline, NULL);
	grpc_slice_unref(method);
	grpc_metadata_array_init(&s->head);
	grpc_metadata_array_init(&s->tail);
	s->details = grpc_empty_slice();
	ops[0].data.recv_initial_metadata.recv_initial_metadata = &s->head;
	ops[1].data.recv_status_on_client.trailing_metadata = &s->tail;
	ops[1].data.recv_status_on_client.status = &s->code;
	ops[1].data.recv_status_on_client.status_details = &s->details;
	(void)grpc_call_start_batch(s->core, ops, ARRAY_LEN(ops), s, NULL);
	return s;
}

/* message NULL: only says that there is nothing to come. */
static int send_bytes(struct client_stream *s, grpc_slice *message, int last)
{
	grpc_byte_buffer *buffer = message ? grpc_raw_byte_buffer_create(message, 1) : NULL;
	grpc_op ops[2] = {0};
	size_t n = 0;
	int rc;

	if (message) {
		ops[n].op = GRPC_OP_SEND_MESSAGE;
		ops[n++].data.send_message.send_message = buffer;
	}
	if (last)
		ops[n++].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
	rc = run(s, ops, n);
	if (buffer)
		grpc_byte_buffer_destroy(buffer);
	return rc;
}

static void take_status(struct client_stream *s, struct api_status *st)
{
	wait_over(s);
	api_fail(st, (enum api_code)s->code, "%.*s", (int)GRPC_SLICE_LENGTH(s->details),
		 (const char *)GRPC_SLICE_START_PTR(s->details));
}

/* 1: *bytes is a message, to be unreferenced; 0 or -1: the call is over. */
static int next_bytes(struct client_stream *s, grpc_slice *bytes, struct api_status *st)
{
	grpc_byte_buffer *buffer = NULL;
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
	struct err e = {0};
	int rc = 1;

	op.data.recv_message.recv_message = &buffer;
	if (run(s, &op, 1) < 0 || !buffer) {
		take_status(s, st);
		rc = st->code == API_OK ? 0 : -1;
	} else if (grpc_bytes_read(buffer, bytes, &e) < 0) {
		rc = api_fail(st, API_INTERNAL, "the server's answer: %s", e.msg);
	}
	if (buffer)
		grpc_byte_buffer_destroy(buffer);
	return rc;
}

int client_stream_send(struct client_stream *s, const ProtobufCMessage *message, int last)
{
	grpc_slice bytes = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));
	int rc;

	protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(bytes));
	rc = send_bytes(s, &bytes, last);
	grpc_slice_unref(bytes);
	return rc;
}

/* The server is not trusted more than a client is. */
static ProtobufCMessage *unpack(const ProtobufCMessageDescriptor *type, grpc_slice bytes,
				struct api_status *st)
{
	struct err e = {0};
	ProtobufCMessage *m = grpc_bytes_unpack(type, bytes, &e);

	if (!m)
		api_fail(st, API_INTERNAL, "the server's answer: %s", e.msg);
	return m;
}

int client_stream_next(struct client_stream *s, const ProtobufCMessageDescriptor *type,
		       ProtobufCMessage **message, struct api_status *st)
{
	grpc_slice bytes;
	int got;

	bytes = grpc_empty_slice();
	got = next_bytes(s, &bytes, st);
	if (got <= 0)
		return got;
	*message = unpack(type, bytes, st);
	grpc_slice_unref(bytes);
	return *message ? 1 : -1;
}

void client_stream_close(struct client_stream *s)
{
	if (!s)
		return;
	if (!s->over)
		grpc_call_cancel(s->core, NULL);
	wait_over(s);
	grpc_call_unref(s->core);
	grpc_completion_queue_shutdown(s->queue);
	while (grpc_completion_queue_next(s->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL)
		       .type != GRPC_QUEUE_SHUTDOWN)
		;
	grpc_completion_queue_destroy(s->queue);
	grpc_metadata_array_destroy(&s->head);
	grpc_metadata_array_destroy(&s->tail);
	grpc_slice_unref(s->details);
	free(s);
}

/* One request, one answer: 0 with *reply, to be unreferenced. */
static int exchange(struct client *c, const char *path, grpc_slice request, grpc_slice *reply,
		    struct api_status *st)
{
	struct client_stream *s = client_stream_open(c, path, c->timeout_ms);
	int got;

	if (!s)
		return api_fail(st, API_INTERNAL, "out of memory");
	(void)send_bytes(s, &request, 1); /* why it failed is in the status */
	got = next_bytes(s, reply, st);
	if (got > 0)
		take_status(s, st);
	client_stream_close(s);
	if (got > 0 && st->code == API_OK)
		return 0;
	if (got > 0)
		grpc_slice_unref(*reply);
	if (st->code == API_OK)
		api_fail(st, API_INTERNAL, "the server ended the call without an answer");
	return -1;
}

int client_call_bytes(struct client *c, const char *path, const struct client_bytes *request,
		      struct client_bytes *reply, struct api_status *st)
{
	grpc_slice question = grpc_slice_from_copied_buffer(request->data, request->len);
	grpc_slice answer = grpc_empty_slice();
	int rc = exchange(c, path, question, &answer, st);

	*reply = (struct client_bytes){0};
	grpc_slice_unref(question);
	if (rc < 0)
		return -1;
	reply->len = GRPC_SLICE_LENGTH(answer);
	reply->data = malloc(reply->len + 1);
	if (reply->data)
		memcpy(reply->data, GRPC_SLICE_START_PTR(answer), reply->len);
	else
		rc = api_fail(st, API_INTERNAL, "out of memory");
	grpc_slice_unref(answer);
	return rc;
}

ProtobufCMessage *client_call(struct client *c, const char *method, const ProtobufCMessage *request,
			      const ProtobufCMessageDescriptor *reply_type, struct api_status *st)
{
	grpc_slice question = grpc_slice_malloc(protobuf_c_message_get_packed_size(request));
	grpc_slice answer = grpc_empty_slice();
	ProtobufCMessage *reply = NULL;
	char path[128];

	protobuf_c_message_pack(request, GRPC_SLICE_START_PTR(question));
	snprintf(path, sizeof(path), SERVICE "%s", method);
	if (exchange(c, path, question, &answer, st) == 0) {
		reply = unpack(reply_type, answer, st);
		grpc_slice_unref(answer);
	}
	grpc_slice_unref(question);
	return reply;
}
