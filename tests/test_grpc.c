/* The gRPC door: a real server on a free port, a real store, our client. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <sys/socket.h>

#include "judge/client.h"
#include "judge/grpc.h"
#include "proto/err.h"
#include "proto/grpc_health.pb-c.h"
#include "proto/grpc_reflection.pb-c.h"
#include "proto/scope.h"
#include "tests/api_world.h"

#define TIMEOUT_MS 30000
#define GRACE_MS   10000

typedef Grpc__Reflection__V1alpha__ServerReflectionRequest question;
typedef Grpc__Reflection__V1alpha__ServerReflectionResponse answer;
typedef Grpc__Health__V1__HealthCheckRequest health_request;
typedef Grpc__Health__V1__HealthCheckResponse health_response;

static struct world w;
static struct grpc_front *front;
static struct client *client;

static void serve(const struct grpc_front_options *o)
{
	struct err e = {0};
	char server[64];

	front = grpc_front_open(o, w.api, &e);
	cr_assert(front != NULL, "%s", e.msg);
	snprintf(server, sizeof(server), "127.0.0.1:%d", grpc_front_port(front));
	client = client_open(server, NULL, TIMEOUT_MS, &e);
	cr_assert(client != NULL, "%s", e.msg);
}

static void setup(void)
{
	struct grpc_front_options o = {
		.listen = "127.0.0.1:0", .message_bytes = 20000, .calls = 8, .threads = 4};

	world_open(&w);
	serve(&o);
}

static void teardown(void)
{
	client_close(client);
	grpc_front_close(front, GRACE_MS);
	world_close(&w);
}

TestSuite(grpc, .init = setup, .fini = teardown, .timeout = 120);

static enum api_code call_bytes(const char *path, const void *data, size_t len,
				struct api_status *st)
{
	struct client_bytes request = {(void *)data, len}, reply;

	*st = (struct api_status){0};
	if (client_call_bytes(client, path, &request, &reply, st) == 0)
		free(reply.data);
	return st->code;
}

static Judge__V1__SubmitResponse *submit(const char *problem, size_t bytes, struct api_status *st)
{
	Judge__V1__SourceFile file = JUDGE__V1__SOURCE_FILE__INIT, *files = &file;
	Judge__V1__SubmitRequest q = JUDGE__V1__SUBMIT_REQUEST__INIT;
	AUTO_FREE uint8_t *content = calloc(1, bytes + 1);

	memset(content, ' ', bytes);
	file.name = "a.c";
	file.content = (ProtobufCBinaryData){bytes, content};
	q.problem = (char *)problem;
	q.sources = &files;
	q.n_sources = 1;
	return (void *)client_call(client, "Submit", &q.base,
				   &judge__v1__submit_response__descriptor, st);
}

Test(grpc, submit_and_get)
{
	Judge__V1__GetSubmissionRequest q = JUDGE__V1__GET_SUBMISSION_REQUEST__INIT;
	struct api_status st = {0};
	Judge__V1__SubmitResponse *r = submit("aplusb", 1000, &st);
	Judge__V1__Submission *s;

	cr_assert(r != NULL, "%s", st.message);
	q.id = r->id;
	q.with_sources = 1;
	s = (void *)client_call(client, "GetSubmission", &q.base,
				&judge__v1__submission__descriptor, &st);
	cr_assert(s != NULL, "%s", st.message);
	cr_expect(eq(str, s->language, "c"));
	cr_expect(eq(sz, s->sources[0]->content.len, 1000));
	judge__v1__submission__free_unpacked(s, NULL);
	judge__v1__submit_response__free_unpacked(r, NULL);
}

Test(grpc, errors_carry_code_and_field)
{
	struct api_status st = {0};

	cr_expect(eq(ptr, submit("nosuch", 10, &st), NULL));
	cr_expect(eq(int, st.code, API_NOT_FOUND));
	cr_expect(eq(str, st.message, "problem: no problem is called \"nosuch\""));
	cr_expect(eq(ptr, submit("aplusb", 1001, &st), NULL));
	cr_expect(eq(int, st.code, API_RESOURCE_EXHAUSTED));
}

Test(grpc, what_does_not_exist_is_unimplemented)
{
	static const char *const paths[] = {
		"/judge.v1.Judge/Sub",     "/judge.v1.Judge/Submit2", "/judge.v1.Judge/", "/x",
		"/judge.v1.Judg/e/Submit", "/judge.v2.Judge/Submit",  "/sandbox.S/Run"};
	struct api_status st;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		cr_expect(eq(int, call_bytes(paths[i], "", 0, &st), API_UNIMPLEMENTED), "%s: %s",
			  paths[i], st.message);
}

Test(grpc, garbage_is_refused_before_it_is_unpacked)
{
	struct api_status st;

#define SEND(bytes) call_bytes("/judge.v1.Judge/Submit", bytes, sizeof(bytes) - 1, &st)
	cr_expect(eq(int, SEND("\xff\xff\xff\xff\xff\xff\xff"), API_INVALID_ARGUMENT));
	cr_expect(eq(int, SEND("\x0a\x7f"), API_INVALID_ARGUMENT));
	cr_expect(eq(int, SEND("\x0a\x03\x61\xff\x62"), API_INVALID_ARGUMENT));
	cr_expect(eq(str, st.message, "problem: not valid UTF-8 at byte 1"));
	cr_expect(eq(int, SEND("\x0a\x06\x61plusb\x1a\x05\x0a\x03\x61\x00\x62"),
		     API_INVALID_ARGUMENT));
	cr_expect(eq(str, st.message, "sources[0].name: contains NUL at byte 1"));
	cr_expect(eq(int, SEND(""), API_INVALID_ARGUMENT));
	cr_expect(eq(str, st.message, "problem: is empty"));
#undef SEND
}

Test(grpc, long_messages_are_refused)
{
	struct api_status st = {0};

	cr_expect(eq(ptr, submit("zeta", 19900, &st), NULL));
	cr_expect(eq(int, st.code, API_RESOURCE_EXHAUSTED));
	cr_expect(eq(str, st.message, "sources: 19900 bytes, this server allows 5000"));
	cr_expect(eq(ptr, submit("zeta", 20001, &st), NULL));
	cr_expect(eq(int, st.code, API_RESOURCE_EXHAUSTED), "%d %s", st.code, st.message);
	cr_expect(eq(ptr, submit("zeta", 5000000, &st), NULL));
	cr_expect(eq(int, st.code, API_RESOURCE_EXHAUSTED), "%d %s", st.code, st.message);
}

/* ---- watching */

static struct client_stream *watch(const char *id, uint64_t after, int timeout_ms)
{
	Judge__V1__WatchSubmissionRequest q = JUDGE__V1__WATCH_SUBMISSION_REQUEST__INIT;
	struct client_stream *s =
		client_stream_open(client, "/judge.v1.Judge/WatchSubmission", timeout_ms);

	q.id = (char *)id;
	q.after_seq = after;
	cr_assert(s != NULL);
	(void)client_stream_send(s, &q.base, 1);
	return s;
}

/* The kind of the next event, 0 for the end, -code for a failure. */
static int next_event(struct client_stream *s, uint64_t *seq, struct api_status *st)
{
	Judge__V1__Event *event = NULL;
	int rc, kind;

	*st = (struct api_status){0};
	rc = client_stream_next(s, &judge__v1__event__descriptor, (ProtobufCMessage **)&event, st);
	if (rc <= 0)
		return rc == 0 ? 0 : -(int)st->code;
	kind = (int)event->kind;
	*seq = event->seq;
	judge__v1__event__free_unpacked(event, NULL);
	return kind;
}

static void expect_events(struct client_stream *s, uint64_t first, const int *kinds)
{
	struct api_status st;
	uint64_t seq = 0;

	for (; *kinds > 0; kinds++, first++) {
		cr_expect(eq(int, next_event(s, &seq, &st), *kinds), "%s", st.message);
		cr_expect(eq(u64, seq, first));
	}
	cr_expect(eq(int, next_event(s, &seq, &st), *kinds), "%s", st.message);
}

#define QUEUED    JUDGE__V1__EVENT__KIND__QUEUED
#define TEST      JUDGE__V1__EVENT__KIND__TEST
#define FINISHED  JUDGE__V1__EVENT__KIND__FINISHED
#define CANCELLED JUDGE__V1__EVENT__KIND__CANCELLED

struct judging {
	pthread_t thread;
	int pause_ms;
};

static void *judge_one(void *arg)
{
	const struct judging *j = arg;
	struct store_job job;

	usleep(j->pause_ms * 1000);
	world_claim(&w, &job);
	for (uint32_t test = 1; test <= 3; test++) {
		usleep(j->pause_ms * 1000);
		world_test(&w, &job, test, JUDGE__V1__VERDICT__ACCEPTED);
	}
	world_finish(&w, &job, JUDGE__V1__VERDICT__ACCEPTED);
	return NULL;
}

Test(grpc, watchers_see_every_event_as_it_happens)
{
	static const int all[] = {QUEUED, TEST, TEST, TEST, FINISHED, 0};
	struct judging j = {.pause_ms = 50};
	const char *id = world_submit(&w, "a.c", "text");
	struct client_stream *early = watch(id, 0, TIMEOUT_MS), *also = watch(id, 2, TIMEOUT_MS);
	struct client_stream *late;

	pthread_create(&j.thread, NULL, judge_one, &j);
	expect_events(early, 1, all);
	expect_events(also, 3, all + 2);
	pthread_join(j.thread, NULL);
	late = watch(id, 0, TIMEOUT_MS);
	expect_events(late, 1, all);
	client_stream_close(late);
	late = watch(id, 5, TIMEOUT_MS);
	expect_events(late, 6, all + 5);
	client_stream_close(late);
	late = watch(id, UINT64_MAX, TIMEOUT_MS);
	expect_events(late, 6, all + 5);
	client_stream_close(late);
	client_stream_close(early);
	client_stream_close(also);
}

Test(grpc, events_that_another_process_wrote_are_seen_too)
{
	static const int all[] = {QUEUED, TEST, TEST, TEST, FINISHED, 0};
	struct judging j = {.pause_ms = 10};
	const char *id = world_submit(&w, "a.c", "text");
	struct client_stream *s = watch(id, 0, TIMEOUT_MS);
	struct api_status st;
	uint64_t seq;

	cr_assert(eq(int, next_event(s, &seq, &st), QUEUED), "%s", st.message);
	w.mute = 1;
	pthread_create(&j.thread, NULL, judge_one, &j);
	pthread_join(j.thread, NULL);
	expect_events(s, 2, all + 1);
	client_stream_close(s);
}

Test(grpc, a_watch_ends_when_the_submission_is_cancelled)
{
	static const int all[] = {QUEUED, CANCELLED, 0};
	const char *id = world_submit(&w, "a.c", "text");
	struct client_stream *s = watch(id, 0, TIMEOUT_MS);
	Judge__V1__CancelSubmissionRequest q = JUDGE__V1__CANCEL_SUBMISSION_REQUEST__INIT;
	struct api_status st = {0};
	ProtobufCMessage *r;

	q.id = (char *)id;
	r = client_call(client, "CancelSubmission", &q.base, &judge__v1__submission__descriptor,
			&st);
	cr_assert(r != NULL, "%s", st.message);
	protobuf_c_message_free_unpacked(r, NULL);
	expect_events(s, 1, all);
	client_stream_close(s);
}

Test(grpc, a_watch_of_nothing_is_refused)
{
	struct api_status st;
	uint64_t seq;
	struct client_stream *s = watch("0123456789abcdef0123456789abcdef", 0, TIMEOUT_MS);

	cr_expect(eq(int, next_event(s, &seq, &st), -API_NOT_FOUND), "%s", st.message);
	client_stream_close(s);
	s = watch("nonsense", 0, TIMEOUT_MS);
	cr_expect(eq(int, next_event(s, &seq, &st), -API_INVALID_ARGUMENT), "%s", st.message);
	client_stream_close(s);
}

Test(grpc, a_deadline_ends_a_watch)
{
	const char *id = world_submit(&w, "a.c", "text");
	struct client_stream *s = watch(id, 1, 300);
	struct api_status st;
	uint64_t seq;

	cr_expect(eq(int, next_event(s, &seq, &st), -API_DEADLINE_EXCEEDED), "%s", st.message);
	client_stream_close(s);
}

/* Eight calls at once, six of them streams: see setup(). */
Test(grpc, calls_are_bounded_and_streams_leave_room)
{
	const char *id = world_submit(&w, "a.c", "text");
	struct client_stream *s[7];
	struct api_status st;
	uint64_t seq;
	int got = 0;

	for (size_t i = 0; i < 6; i++) {
		s[i] = watch(id, 0, TIMEOUT_MS);
		cr_expect(eq(int, next_event(s[i], &seq, &st), QUEUED), "%s", st.message);
	}
	s[6] = watch(id, 0, TIMEOUT_MS);
	cr_expect(eq(int, next_event(s[6], &seq, &st), -API_RESOURCE_EXHAUSTED), "%s", st.message);
	client_stream_close(s[6]);
	cr_expect(eq(int, call_bytes("/judge.v1.Judge/ListProblems", "", 0, &st), API_OK), "%s",
		  st.message);
	/* A client that goes away gives its place back. */
	client_stream_close(s[0]);
	for (int i = 0; i < 200 && got != QUEUED; i++) {
		usleep(20000);
		s[0] = watch(id, 0, TIMEOUT_MS);
		got = next_event(s[0], &seq, &st);
		if (got != QUEUED)
			client_stream_close(s[0]);
	}
	cr_assert(eq(int, got, QUEUED), "%s", st.message);
	for (size_t i = 0; i < 6; i++)
		client_stream_close(s[i]);
}

static void *submit_many(void *arg)
{
	_Atomic int *stored = arg;

	for (int i = 0; i < 20; i++) {
		struct api_status st = {0};
		Judge__V1__SubmitResponse *r = submit("aplusb", 10, &st);

		if (r) {
			++*stored;
			judge__v1__submit_response__free_unpacked(r, NULL);
		}
		cr_expect(r || st.code == API_RESOURCE_EXHAUSTED, "%d %s", st.code, st.message);
	}
	return NULL;
}

/* Ten may wait: of 80 Submits at once, exactly ten are stored. */
Test(grpc, many_threads_at_once)
{
	static const int all[] = {QUEUED, TEST, TEST, TEST, FINISHED, 0};
	_Atomic int stored = 0;
	pthread_t threads[4];
	struct client_stream *s;
	struct judging j = {0};
	const char *id = world_submit(&w, "a.c", "text");

	s = watch(id, 0, TIMEOUT_MS);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_create(&threads[i], NULL, submit_many, &stored);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	cr_expect(eq(int, stored, 9));
	judge_one(&j);
	expect_events(s, 1, all);
	client_stream_close(s);
}

/* Writes bytes to the port and waits until the server hangs up. */
static void send_garbage(const char *bytes, size_t len)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)grpc_front_port(front)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	AUTO_CLOSE int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char back[512];

	cr_assert(connect(sock, (const struct sockaddr *)&to, sizeof(to)) == 0);
	cr_assert(send(sock, bytes, len, MSG_NOSIGNAL) == (ssize_t)len);
	while (recv(sock, back, sizeof(back), 0) > 0)
		;
}

Test(grpc, garbage_ends_its_connection_only)
{
	static const char http1[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
				      "\xff\xff\xff\x09\xff\xff\xff\xff\xff garbage";
	const char *id = world_submit(&w, "a.c", "text");
	struct client_stream *s = watch(id, 0, TIMEOUT_MS);
	char noise[4096];
	struct api_status st;
	uint64_t seq;

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)(i * 167 + 13);
	cr_expect(eq(int, next_event(s, &seq, &st), QUEUED), "%s", st.message);
	send_garbage(http1, sizeof(http1) - 1);
	send_garbage(preface, sizeof(preface) - 1);
	send_garbage(noise, sizeof(noise));
	cr_expect(eq(int, call_bytes("/judge.v1.Judge/ListProblems", "", 0, &st), API_OK), "%s",
		  st.message);
	client_stream_close(s);
}

/* ---- health and reflection */

static int health(const char *service, struct api_status *st)
{
	health_request q = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
	struct client_bytes request, reply;
	uint8_t packed[128];
	health_response *r;
	int status;

	q.service = (char *)service;
	request = (struct client_bytes){
		packed, grpc__health__v1__health_check_request__get_packed_size(&q)};
	grpc__health__v1__health_check_request__pack(&q, packed);
	if (client_call_bytes(client, "/grpc.health.v1.Health/Check", &request, &reply, st) < 0)
		return -(int)st->code;
	r = grpc__health__v1__health_check_response__unpack(NULL, reply.len, reply.data);
	cr_assert(r != NULL);
	status = (int)r->status;
	grpc__health__v1__health_check_response__free_unpacked(r, NULL);
	free(reply.data);
	return status;
}

Test(grpc, health)
{
	struct api_status st = {0};

	cr_expect(eq(int, health("", &st), 1));
	cr_expect(eq(int, health("judge.v1.Judge", &st), 1));
	cr_expect(eq(int, health("nosuch", &st), -API_NOT_FOUND));
}

static struct client_stream *watch_health(const char *service)
{
	struct client_stream *s =
		client_stream_open(client, "/grpc.health.v1.Health/Watch", TIMEOUT_MS);
	health_request q = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;

	q.service = (char *)service;
	cr_assert(s && client_stream_send(s, &q.base, 1) == 0);
	return s;
}

static int next_health(struct client_stream *s)
{
	struct api_status st = {0};
	health_response *r;
	int status;

	if (client_stream_next(s, &grpc__health__v1__health_check_response__descriptor,
			       (ProtobufCMessage **)&r, &st) <= 0)
		return -(int)st.code;
	status = (int)r->status;
	grpc__health__v1__health_check_response__free_unpacked(r, NULL);
	return status;
}

static struct client_stream *reflect(const char *version)
{
	char path[128];

	snprintf(path, sizeof(path), "/grpc.reflection.%s.ServerReflection/ServerReflectionInfo",
		 version);
	return client_stream_open(client, path, TIMEOUT_MS);
}

static answer *ask(struct client_stream *s, const question *q)
{
	struct api_status st = {0};
	answer *a = NULL;

	cr_assert(client_stream_send(s, &q->base, 0) == 0);
	cr_assert(client_stream_next(
			  s, &grpc__reflection__v1alpha__server_reflection_response__descriptor,
			  (ProtobufCMessage **)&a, &st) == 1,
		  "%s", st.message);
	return a;
}

#define ASK(which) GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##which

#define ANSWER(which)                                                                              \
	GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##which

static size_t files_with(struct client_stream *s, int by_name, const char *text)
{
	question q = GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__INIT;
	answer *a;
	size_t n = 0;

	q.message_request_case = by_name ? ASK(FILE_BY_FILENAME) : ASK(FILE_CONTAINING_SYMBOL);
	if (by_name)
		q.file_by_filename = (char *)text;
	else
		q.file_containing_symbol = (char *)text;
	a = ask(s, &q);
	if (a->message_response_case == ANSWER(FILE_DESCRIPTOR_RESPONSE))
		n = a->file_descriptor_response->n_file_descriptor_proto;
	else
		cr_expect(a->message_response_case == ANSWER(ERROR_RESPONSE) &&
			  a->error_response->error_code == API_NOT_FOUND);
	grpc__reflection__v1alpha__server_reflection_response__free_unpacked(a, NULL);
	return n;
}

static void expect_reflection(const char *version)
{
	static const char *const known[] = {"judge.v1.Judge",
					    "judge.v1.Judge.Submit",
					    "judge.v1.SubmitRequest",
					    "judge.v1.Event.Kind",
					    "judge.v1.ACCEPTED",
					    "judge.v1.Event.TEST",
					    "judge.v1.SubmitRequest.problem",
					    "grpc.health.v1.Health",
					    "grpc.reflection.v1alpha.ServerReflection"};
	static const char *const unknown[] = {"",
					      "judge",
					      "judge.v1",
					      "judge.v1.",
					      "judge.v1.Judg",
					      "judge.v1.Judge.",
					      "judge.v1.Event.Kind.TEST",
					      "sandbox.Request",
					      ".judge.v1.Judge"};
	struct client_stream *s = reflect(version);

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		cr_expect(eq(sz, files_with(s, 0, known[i]), 1), "%s", known[i]);
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		cr_expect(eq(sz, files_with(s, 0, unknown[i]), 0), "%s", unknown[i]);
	cr_expect(eq(sz, files_with(s, 0, "grpc.reflection.v1.ServerReflection"), 2));
	cr_expect(eq(sz, files_with(s, 1, "proto/judge.proto"), 1));
	cr_expect(eq(sz, files_with(s, 1, "proto/sandbox.proto"), 0));
	client_stream_close(s);
}

Test(grpc, reflection_finds_what_is_public)
{
	expect_reflection("v1");
	expect_reflection("v1alpha");
}

Test(grpc, reflection_lists_services)
{
	question q = GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__INIT;
	struct client_stream *s = reflect("v1alpha");
	answer *a;

	q.message_request_case = ASK(LIST_SERVICES);
	q.list_services = "";
	q.host = "here";
	a = ask(s, &q);
	cr_assert(a->message_response_case == ANSWER(LIST_SERVICES_RESPONSE));
	cr_expect(eq(sz, a->list_services_response->n_service, 4));
	cr_expect(eq(str, a->valid_host, "here"));
	cr_expect(a->original_request != NULL);
	grpc__reflection__v1alpha__server_reflection_response__free_unpacked(a, NULL);
	q = (question)GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__INIT;
	a = ask(s, &q);
	cr_expect(a->message_response_case == ANSWER(ERROR_RESPONSE) &&
		  a->error_response->error_code == API_INVALID_ARGUMENT);
	grpc__reflection__v1alpha__server_reflection_response__free_unpacked(a, NULL);
	client_stream_close(s);
}

/* ---- opening and closing */

static void *close_front(void *arg)
{
	grpc_front_close(arg, GRACE_MS);
	return NULL;
}

Test(grpc, calls_that_bring_no_request_give_their_place_back)
{
	struct grpc_front_options o = {
		.listen = "127.0.0.1:0", .calls = 4, .threads = 2, .request_ms = 300};
	struct client_stream *silent[4];
	struct api_status st = {0};
	ProtobufCMessage *m;

	client_close(client);
	grpc_front_close(front, GRACE_MS);
	serve(&o);
	for (size_t i = 0; i < ARRAY_LEN(silent); i++)
		silent[i] = client_stream_open(client, "/judge.v1.Judge/GetServerInfo", TIMEOUT_MS);
	for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
		cr_expect(eq(
			int,
			client_stream_next(silent[i], &judge__v1__server_info__descriptor, &m, &st),
			-1));
		cr_expect(eq(int, st.code, API_DEADLINE_EXCEEDED), "%s", st.message);
		cr_expect(eq(str, st.message, "no request came within 300 ms"));
		client_stream_close(silent[i]);
	}
	cr_expect(eq(int, call_bytes("/judge.v1.Judge/GetServerInfo", "", 0, &st), API_OK));
	/* One that waits while the server ends does not keep it. */
	silent[0] = client_stream_open(client, "/judge.v1.Judge/GetServerInfo", TIMEOUT_MS);
	usleep(50000);
	grpc_front_close(front, GRACE_MS);
	front = NULL;
	client_stream_close(silent[0]);
}

Test(grpc, shutting_down_ends_streams_and_says_so)
{
	const char *id = world_submit(&w, "a.c", "text");
	struct client_stream *watcher = watch(id, 0, TIMEOUT_MS), *h = watch_health("");
	struct client_stream *unknown = watch_health("nosuch"), *r = reflect("v1");
	struct api_status st;
	pthread_t thread;
	uint64_t seq;

	cr_expect(eq(int, next_event(watcher, &seq, &st), QUEUED), "%s", st.message);
	cr_expect(eq(int, next_health(h), 1));
	cr_expect(eq(int, next_health(unknown), 3));
	cr_expect(eq(sz, files_with(r, 0, "judge.v1.Judge"), 1));
	pthread_create(&thread, NULL, close_front, front);
	front = NULL;
	cr_expect(eq(int, next_event(watcher, &seq, &st), -API_UNAVAILABLE), "%s", st.message);
	cr_expect(eq(str, st.message, "the server is shutting down; go on after seq 1"));
	cr_expect(eq(int, next_health(h), 2));
	cr_expect(eq(int, next_health(h), -API_UNAVAILABLE));
	cr_expect(eq(int, next_health(unknown), -API_UNAVAILABLE));
	cr_expect(eq(int,
		     client_stream_next(
			     r, &grpc__reflection__v1alpha__server_reflection_response__descriptor,
			     (ProtobufCMessage *[]){NULL}, &st),
		     -1));
	cr_expect(eq(int, st.code, API_UNAVAILABLE));
	client_stream_close(watcher);
	client_stream_close(h);
	client_stream_close(unknown);
	client_stream_close(r);
	pthread_join(thread, NULL);
	cr_expect(eq(int, call_bytes("/judge.v1.Judge/ListProblems", "", 0, &st), API_UNAVAILABLE));
}

Test(grpc, a_call_that_hangs_is_cut_off)
{
	struct client_stream *s = client_stream_open(client, "/judge.v1.Judge/Submit", TIMEOUT_MS);
	struct api_status st;

	/* Once this is answered, the request-less call before it on the connection has arrived too. */
	cr_expect(eq(int, call_bytes("/judge.v1.Judge/ListProblems", "", 0, &st), API_OK));
	grpc_front_close(front, 200);
	front = NULL;
	cr_expect(eq(int,
		     client_stream_next(s, &judge__v1__submit_response__descriptor,
					(ProtobufCMessage *[]){NULL}, &st),
		     -1));
	client_stream_close(s);
}

static void expect_refused(const struct grpc_front_options *o, const char *message)
{
	struct err e = {0};

	cr_expect(eq(ptr, grpc_front_open(o, w.api, &e), NULL));
	cr_expect(strncmp(e.msg, message, strlen(message)) == 0, "%s", e.msg);
}

Test(grpc, opening_says_what_is_wrong)
{
	char taken[64];

	snprintf(taken, sizeof(taken), "127.0.0.1:%d", grpc_front_port(front));
	expect_refused(&(struct grpc_front_options){.listen = taken}, "grpc: cannot listen on 127");
	expect_refused(&(struct grpc_front_options){.listen = "nonsense:port"},
		       "grpc: cannot listen on nonsense:port");
	expect_refused(&(struct grpc_front_options){.listen = "127.0.0.1:0", .cert = "x"},
		       "grpc: TLS needs a certificate and a key; the key is missing");
	expect_refused(&(struct grpc_front_options){.listen = "127.0.0.1:0",
						    .cert = "/nonexistent/cert",
						    .key = "/nonexistent/key"},
		       "grpc: open /nonexistent/cert");
	expect_refused(&(struct grpc_front_options){.listen = "127.0.0.1:0",
						    .cert = "/etc/hostname",
						    .key = "/etc/hostname"},
		       "grpc: ");
}

/* ---- TLS */

static void write_pem(const char *path, X509 *cert, EVP_PKEY *key)
{
	FILE *f = fopen(path, "we");

	cr_assert(f != NULL);
	cr_assert(cert ? PEM_write_X509(f, cert)
		       : PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL));
	fclose(f);
}

/* A self-signed certificate for 127.0.0.1. */
static void make_certificate(const char *cert_path, const char *key_path)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"gavel", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	X509_add_ext(cert, san, -1);
	cr_assert(X509_sign(cert, key, EVP_sha256()) > 0);
	write_pem(cert_path, cert, NULL);
	write_pem(key_path, NULL, key);
	X509_EXTENSION_free(san);
	X509_free(cert);
	EVP_PKEY_free(key);
}

Test(grpc, tls)
{
	struct grpc_front_options o = {.listen = "127.0.0.1:0"};
	char cert[128], key[128], server[64];
	struct api_status st;
	struct err e = {0};

	snprintf(cert, sizeof(cert), "%s/cert.pem", w.dir);
	snprintf(key, sizeof(key), "%s/key.pem", w.dir);
	make_certificate(cert, key);
	o.cert = cert;
	o.key = key;
	client_close(client);
	grpc_front_close(front, GRACE_MS);
	serve(&o);
	snprintf(server, sizeof(server), "127.0.0.1:%d", grpc_front_port(front));
	cr_expect(eq(int, call_bytes("/judge.v1.Judge/ListProblems", "", 0, &st), API_UNAVAILABLE));
	client_close(client);
	client = client_open(server, cert, TIMEOUT_MS, &e);
	cr_assert(client != NULL, "%s", e.msg);
	cr_expect(eq(int, call_bytes("/judge.v1.Judge/ListProblems", "", 0, &st), API_OK), "%s",
		  st.message);
	cr_expect(eq(ptr, client_open(server, "/nonexistent", 0, &e), NULL));
	cr_expect(eq(ptr, client_open(server, "/etc/hostname", 0, &e), NULL));
	cr_expect(eq(str, e.msg, "/etc/hostname: holds no PEM certificate"));
}

Test(grpc, a_unix_socket_will_do)
{
	struct grpc_front_options o = {0};
	char listen[128];
	struct api_status st;
	struct err e = {0};

	snprintf(listen, sizeof(listen), "unix:%s/socket", w.dir);
	o.listen = listen;
	client_close(client);
	grpc_front_close(front, GRACE_MS);
	front = grpc_front_open(&o, w.api, &e);
	cr_assert(front != NULL, "%s", e.msg);
	client = client_open(listen, NULL, TIMEOUT_MS, &e);
	cr_expect(eq(int, call_bytes("/judge.v1.Judge/ListProblems", "", 0, &st), API_OK), "%s",
		  st.message);
}
