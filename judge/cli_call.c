/* Calls to the server, and what happens while it is not there. */
#include <time.h>
#include <unistd.h>

#include "judge/cli.h"
#include "judge/client.h"
#include "proto/err.h"
#include "proto/io.h"

#define DEFAULT_SERVER "127.0.0.1:50051"
#define TIMEOUT_MS     30000
#define PAUSE_US       250000

static const char *server_of(const struct cli_args *args)
{
	const char *env =
		getenv("JUDGE_SERVER"); /* NOLINT(concurrency-mt-unsafe): before any thread */

	if (args->server)
		return args->server;
	return env && *env ? env : DEFAULT_SERVER;
}

static struct client *client;

struct client *cli_client(const struct cli_args *args)
{
	struct err e = {0};

	if (client)
		return client;
	client = client_open(server_of(args), args->ca, TIMEOUT_MS, &e);
	if (!client)
		cli_complain("%s", e.msg);
	return client;
}

void cli_close(void)
{
	client_close(client);
	client = NULL;
}

int cli_failed(const struct api_status *st)
{
	switch (st->code) {
	case API_CANCELLED: /* has been said */
		return CLI_USAGE;
	case API_INVALID_ARGUMENT:
	case API_NOT_FOUND:
	case API_ALREADY_EXISTS:
	case API_FAILED_PRECONDITION:
		cli_complain("%s", st->message);
		return CLI_USAGE;
	case API_UNAVAILABLE:
		cli_complain("the server is not there: %s", st->message);
		return CLI_FAILED;
	default:
		cli_complain("the server says: %s (status %d)", st->message, (int)st->code);
		return CLI_FAILED;
	}
}

int cli_again(const struct cli_args *args, const struct api_status *st, int64_t *until_us)
{
	int64_t now = io_monotonic_us();

	if ((st->code != API_UNAVAILABLE && st->code != API_DEADLINE_EXCEEDED) || args->retry == 0)
		return 0;
	if (*until_us == 0) {
		*until_us = now + (int64_t)args->retry * 1000000;
		cli_complain("%s: no answer, trying again for %llu s", server_of(args),
			     (unsigned long long)args->retry);
	}
	if (now >= *until_us)
		return 0;
	usleep(PAUSE_US);
	return 1;
}

ProtobufCMessage *cli_call(const struct cli_args *args, const char *method, const void *request,
			   const ProtobufCMessageDescriptor *type, struct api_status *st)
{
	ProtobufCMessage *reply;
	int64_t until_us = 0;

	if (!cli_client(args)) {
		*st = (struct api_status){.code = API_CANCELLED};
		return NULL;
	}
	do {
		reply = client_call(client, method, request, type, st);
	} while (!reply && cli_again(args, st, &until_us));
	return reply;
}
