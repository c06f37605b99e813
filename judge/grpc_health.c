/* grpc.health.v1.Health: serving until the server drains. */
#include "judge/api.h"
#include "judge/grpc_rpc.h"
#include "proto/grpc_health.pb-c.h"
#include "proto/log.h"

typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus serving_status;

static serving_status status_of(struct rpc *r)
{
	const Grpc__Health__V1__HealthCheckRequest *q = (const void *)rpc_request(r);

	if (*q->service && strcmp(q->service, "judge.v1.Judge") != 0)
		return GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN;
	return rpc_draining(r)
		       ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
		       : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
}

static void step_check(struct rpc *r)
{
	const Grpc__Health__V1__HealthCheckRequest *q = (const void *)rpc_request(r);
	Grpc__Health__V1__HealthCheckResponse reply = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
	struct api_status st;

	reply.status = status_of(r);
	if (reply.status ==
	    GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN) {
		api_fail(&st, API_NOT_FOUND, "service: no service is called %s", log_q(q->service));
		rpc_finish(r, &st);
		return;
	}
	rpc_reply(r, &reply.base);
}

/* The state is where the last status sent is remembered: a static cell for each value. */
static void step_watch(struct rpc *r)
{
	static serving_status cells[] = {0, 1, 2, 3};
	Grpc__Health__V1__HealthCheckResponse reply = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
	void **said = rpc_state(r);
	struct api_status st;

	do {
		reply.status = status_of(r);
		if (*said != &cells[reply.status]) {
			*said = &cells[reply.status];
			rpc_send(r, &reply.base);
			return;
		}
		if (rpc_draining(r)) {
			api_fail(&st, API_UNAVAILABLE, "the server is shutting down");
			rpc_finish(r, &st);
			return;
		}
	} while (!rpc_sleep(r));
}

/* clang-format off */
const struct rpc_method grpc_health_methods[] = {
	{"grpc.health.v1.Health", "Check", RPC_UNARY, &grpc__health__v1__health_check_request__descriptor, step_check, NULL},
	{"grpc.health.v1.Health", "Watch", RPC_STREAM, &grpc__health__v1__health_check_request__descriptor, step_watch, NULL},
	{0},
};
/* clang-format on */
