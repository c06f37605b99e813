/*
 * bench_soak - one client that runs programs through a sandboxd's socket, one after the other (tests/bench/soak.py starts it).
 *
 * usage: bench_soak SOCKET RUNS_PER_CELL
 *
 * Each line of standard input is a number of runs to make; the answer is the median of those that did nothing, in microseconds.
 * Most runs do nothing; every tenth leaves behind whatever a program can (programs/messy.c), and every hundredth is ended by
 * its CPU limit.  After RUNS_PER_CELL runs the connection is closed, and so the cell wiped, and another is opened; with 0 it
 * is the same cell for ever.  Between two lines the cell is kept.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "judge/sandbox_client.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/log.h"
#include "proto/scope.h"
#include "tests/bench/daemon.h"
#include "tests/bench/series.h"

#define MESSY_EVERY 10
#define SPIN_EVERY  100

static const char *const nothing[] = {"/program/nothing", NULL};
static const char *const messy[] = {"/program/messy", NULL};
static const char *const spin[] = {"/program/spin", "threads", "2", NULL};
static const char *const env[] = {"PATH=/usr/bin:/bin", NULL};

static int put(struct sandbox_client *c, const char *name, struct err *e)
{
	char path[64];
	AUTO_FREE char *data = NULL;
	size_t len;

	snprintf(path, sizeof(path), "build/bench/%s", name);
	if (io_read_file(path, 64 << 20, &data, &len, e) < 0)
		return -1;
	AUTO_CLOSE int fd = io_memfd_of(data, len, e);
	struct sandbox_file file = {(char *)name, 0555, fd};

	return fd < 0 ? -1 : sandbox_client_put(c, &file, 1, 0, e);
}

static struct sandbox_client *cell(const char *socket, struct err *e)
{
	struct sandbox_client *c = daemon_connect(socket, e);

	if (c && put(c, "nothing", e) == 0 && put(c, "messy", e) == 0 && put(c, "spin", e) == 0 &&
	    sandbox_client_keep(c, NULL, e) == 0)
		return c;
	sandbox_client_close(c);
	return NULL;
}

/* Each of the three must end as it always does. */
static int one(struct sandbox_client *c, unsigned long i, struct series *us, struct err *e)
{
	const char *const *argv = i % SPIN_EVERY == SPIN_EVERY - 1     ? spin
				  : i % MESSY_EVERY == MESSY_EVERY - 1 ? messy
								       : nothing;
	enum sandbox_status expected = argv == spin ? RUN_CPU_TIME_LIMIT : RUN_EXITED;
	struct sandbox_spec s = {.policy = "native",
				 .argv = argv,
				 .env = env,
				 .cpu_time_us = argv == spin ? 5000 : 1000000,
				 .wall_time_us = 60000000,
				 .stdin_fd = -1};
	struct sandbox_report r;
	int64_t start = io_monotonic_us();

	if (sandbox_client_run(c, &s, &r, e) < 0)
		return -1;
	if (argv == nothing)
		series_add(us, (double)(io_monotonic_us() - start));
	sandbox_report_release(&r);
	if (r.status != expected || (expected == RUN_EXITED && r.exit_code != 0))
		return err_set(e, "run %lu, %s: status %d, exit code %d %s", i, argv[0],
			       (int)r.status, r.exit_code, r.message);
	return 0;
}

struct client {
	const char *socket;
	struct sandbox_client *cell;
	unsigned long per_cell, done;
};

static int some_runs(struct client *k, unsigned long runs, struct err *e)
{
	struct series us = {0};
	int status = 0;

	for (unsigned long i = 0; i < runs && status == 0; i++, k->done++) {
		if (!k->cell || (k->per_cell && k->done % k->per_cell == 0)) {
			sandbox_client_close(k->cell);
			k->cell = cell(k->socket, e);
		}
		status = k->cell ? one(k->cell, k->done, &us, e) : -1;
	}
	if (status == 0)
		printf("%.0f\n", series_percentile(&us, 50));
	(void)fflush(stdout);
	series_release(&us);
	return status;
}

int main(int argc, char **argv)
{
	struct client k = {0};
	struct err e = {0};
	char line[32];
	char *end = "?";
	int status = 0;

	if (argc == 3)
		k.per_cell = strtoul(argv[2], &end, 10);
	if (*end) {
		fputs("usage: bench_soak SOCKET RUNS_PER_CELL, with numbers of runs on standard "
		      "input\n",
		      stderr);
		return 2;
	}
	k.socket = argv[1];
	log_open("soak", LOG_ERROR);
	while (status == 0 && fgets(line, sizeof(line), stdin))
		status = some_runs(&k, strtoul(line, NULL, 10), &e);
	sandbox_client_close(k.cell);
	if (status < 0)
		fprintf(stderr, "bench_soak: %s\n", e.msg);
	return status < 0 ? 1 : 0;
}
