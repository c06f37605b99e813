/* The service judge.v1.Judge: unary calls are the api's, WatchSubmission is a walk through stored events. */
#include "judge/api.h"
#include "judge/grpc_rpc.h"

struct watch {
	struct api_watcher watcher; /* first: wake() gets it */
	struct rpc *rpc;
	uint64_t seq; /* of the last event fetched */
	int keep_open;
	struct api_events events;
	size_t sent; /* of these */
};

static void step_unary(struct rpc *r)
{
	struct api_status st = {.code = API_INTERNAL};
	ProtobufCMessage *reply = NULL;

	for (size_t i = 0; i < api_nmethods; i++)
		if (strcmp(api_methods[i].name, rpc_method(r)->name) == 0)
			reply = api_methods[i].handler(rpc_api(r), rpc_request(r), &st);
	if (!reply) {
		rpc_finish(r, &st);
		return;
	}
	rpc_reply(r, reply);
	protobuf_c_message_free_unpacked(reply, NULL);
}

static void wake_watch(struct api_watcher *w)
{
	rpc_wake(((struct watch *)w)->rpc);
}

static int open_watch(struct rpc *r, struct api_status *st)
{
	const Judge__V1__WatchSubmissionRequest *q = (const void *)rpc_request(r);
	struct watch *w;

	if (api_check_watch(q, st) < 0)
		return -1;
	w = calloc(1, sizeof(*w));
	if (!w)
		return api_fail(st, API_INTERNAL, "out of memory");
	memcpy(w->watcher.id, q->id, sizeof(w->watcher.id));
	w->watcher.wake = wake_watch;
	w->rpc = r;
	w->seq = q->after_seq;
	w->keep_open = q->keep_open;
	*rpc_state(r) = w;
	api_watch(rpc_api(r), &w->watcher);
	return 0;
}

/* Fetches the next events, as many as there are now. */
static int look_again(struct rpc *r, struct watch *w, struct api_status *st)
{
	if (rpc_draining(r))
		return api_fail(st, API_UNAVAILABLE,
				"the server is shutting down; go on after seq %llu",
				(unsigned long long)w->seq);
	api_events_release(&w->events);
	w->sent = 0;
	if (api_events(rpc_api(r), w->watcher.id, w->seq, &w->events, st) < 0)
		return -1;
	if (w->events.n > 0)
		w->seq = w->events.items[w->events.n - 1]->seq;
	if (w->keep_open)
		w->events.ended = 0;
	return 0;
}

/* The hub knows the watcher before the first look, so that no event falls between look and sleep. */
static void step_watch(struct rpc *r)
{
	struct api_status st = {.code = API_OK};
	struct watch *w = *rpc_state(r);

	if (!w && open_watch(r, &st) < 0) {
		rpc_finish(r, &st);
		return;
	}
	w = *rpc_state(r);
	while (w->sent == w->events.n) {
		if (w->events.ended || look_again(r, w, &st) < 0) {
			rpc_finish(r, &st);
			return;
		}
		if (w->events.n == 0 && !w->events.ended && rpc_sleep(r))
			return;
	}
	rpc_send(r, &w->events.items[w->sent++]->base);
}

static void close_watch(struct rpc *r)
{
	struct watch *w = *rpc_state(r);

	if (!w)
		return;
	api_unwatch(rpc_api(r), &w->watcher);
	api_events_release(&w->events);
	free(w);
}

#define UNARY(name, request)                                                                       \
	{                                                                                          \
		"judge.v1.Judge", name, RPC_UNARY, &judge__v1__##request##__descriptor,            \
			step_unary, NULL                                                           \
	}
/* clang-format off */
const struct rpc_method grpc_judge_methods[] = {
	UNARY("Submit", submit_request),
	UNARY("GetSubmission", get_submission_request),
	UNARY("ListSubmissions", list_submissions_request),
	{"judge.v1.Judge", "WatchSubmission", RPC_STREAM, &judge__v1__watch_submission_request__descriptor, step_watch, close_watch},
	UNARY("CancelSubmission", cancel_submission_request),
	UNARY("ListProblems", list_problems_request),
	UNARY("GetProblem", get_problem_request),
	UNARY("ListLanguages", list_languages_request),
	UNARY("GetServerInfo", get_server_info_request),
	UNARY("ListJudgements", list_judgements_request),
	UNARY("CreateRejudging", create_rejudging_request),
	UNARY("GetRejudging", get_rejudging_request),
	UNARY("ListRejudgings", list_rejudgings_request),
	UNARY("ApplyRejudging", apply_rejudging_request),
	UNARY("CancelRejudging", cancel_rejudging_request),
	{0},
};
/* clang-format on */
