#include "tests/bench/speed.h"

#include <stdio.h>
#include <string.h>

#include "judge/sandbox_client.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "tests/bench/daemon.h"

static int idle_rounds(struct bench *b, struct sandbox_client *c, struct err *e)
{
	struct row *bare =
		table_row(&b->table, "bare_idle", "bare fork+exec+wait after 1 s of idleness");
	struct row *sock = speed_jail_row(b, "socket_idle",
					  "sandboxd's socket, first run after 1 s of idleness", 2);
	double ms;

	bare->baseline = b->floor_ms;
	for (unsigned i = 0; i < 2 * b->plan.idle_runs; i++) {
		speed_pause_ms(1000);
		if (i % 2 == 0 ? bare_run(&b->bare, BARE_FORK, RUN_NOTHING, 1, &ms, e) < 0
			       : speed_run(c, "/program/nothing", -1, NULL, &ms, e) < 0)
			return -1;
		series_add(i % 2 == 0 ? &bare->runs : &sock->runs, ms);
	}
	snprintf(sock->note, sizeof(sock->note), "%.2fx the bare run after the same idleness",
		 series_percentile(&sock->runs, 50) / series_percentile(&bare->runs, 50));
	return 0;
}

static int with_daemon(struct bench *b, const char *program,
		       int (*part)(struct bench *, struct sandbox_client *, struct err *),
		       struct err *e)
{
	struct daemon d = {0};
	struct err closing;
	struct sandbox_client *c = NULL;
	int status = daemon_start(&d, DAEMON, 2, NULL, e);

	if (status == 0)
		c = daemon_connect(d.program, e);
	if (!c || speed_keep(c, program, e) < 0 || part(b, c, e) < 0)
		status = -1;
	sandbox_client_close(c);
	if (daemon_stop(&d, status == 0 ? e : &closing) < 0)
		status = -1;
	return status;
}

int speed_idle(struct bench *b, struct err *e)
{
	speed_progress("after idleness");
	return with_daemon(b, NOTHING, idle_rounds, e);
}

static int tests_rounds(struct bench *b, struct sandbox_client *c, struct err *e)
{
	struct row *bare = table_row(&b->table, "bare_tests",
				     "tests of one submission: bare fork+exec with pipes, total");
	struct row *jailed = speed_jail_row(
		b, "tests", "the same in one warm cell through the socket, total", 1.6);
	double one;

	for (int round = 0; round < 3; round++) {
		double ms;
		double start;

		if (bare_run(&b->bare, BARE_PIPES, RUN_SUM, b->plan.tests, &ms, e) < 0)
			return -1;
		series_add(&bare->runs, ms);
		start = speed_now_ms();
		for (unsigned i = 0; i < b->plan.tests; i++) {
			AUTO_CLOSE int in = io_memfd_of(BARE_INPUT, strlen(BARE_INPUT), e);

			if (in < 0 || speed_run(c, "/program/sum", in, BARE_ANSWER, &one, e) < 0)
				return -1;
		}
		series_add(&jailed->runs, speed_now_ms() - start);
	}
	jailed->baseline = series_percentile(&bare->runs, 50);
	snprintf(jailed->note, sizeof(jailed->note),
		 "each of the runs is %u tests; input made and output compared for each",
		 b->plan.tests);
	return 0;
}

int speed_tests(struct bench *b, struct err *e)
{
	speed_progress("many tests of one submission");
	return with_daemon(b, SUM, tests_rounds, e);
}
