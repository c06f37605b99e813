#include "tests/bench/speed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "judge/sandbox_client.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

void speed_progress(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
}

double speed_now_ms(void)
{
	return (double)io_monotonic_us() / 1e3;
}

void speed_pause_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

struct row *speed_jail_row(struct bench *b, const char *name, const char *what, double target)
{
	struct row *r = table_row(&b->table, name, what);

	r->verify = "on";
	r->baseline = b->floor_ms;
	r->target = target;
	return r;
}

int speed_keep(struct sandbox_client *c, const char *path, struct err *e)
{
	char *name = strrchr(path, '/') + 1;
	AUTO_FREE char *data = NULL;
	size_t len;

	if (io_read_file(path, 64 << 20, &data, &len, e) < 0)
		return -1;
	struct sandbox_file file = {name, 0555, io_memfd_of(data, len, e)};
	AUTO_CLOSE int fd = file.fd;

	if (fd < 0 || sandbox_client_put(c, &file, 1, 0, e) < 0)
		return -1;
	return sandbox_client_keep(c, NULL, e);
}

static const char *const env[] = {"PATH=/usr/bin:/bin", "HOME=/tmp", "LC_ALL=C", NULL};

int speed_run(struct sandbox_client *c, const char *path, int in, const char *expect, double *ms,
	      struct err *e)
{
	const char *const argv[] = {path, NULL};
	struct sandbox_spec s = {.policy = "native",
				 .argv = argv,
				 .env = env,
				 .cpu_time_us = 1000000,
				 .wall_time_us = 10000000,
				 .stdin_fd = in};
	struct sandbox_report r;
	char text[64];
	double start = speed_now_ms();

	if (sandbox_client_run(c, &s, &r, e) < 0)
		return -1;
	*ms = speed_now_ms() - start;
	int good = r.status == RUN_EXITED && r.exit_code == 0;

	if (good && expect) {
		ssize_t n = pread(r.stdout_fd, text, sizeof(text), 0);

		good = n == (ssize_t)strlen(expect) && memcmp(text, expect, (size_t)n) == 0;
	}
	if (!good)
		err_set(e, "%s: status %d, exit code %d %s", path, (int)r.status, r.exit_code,
			r.message);
	sandbox_report_release(&r);
	return good ? 0 : -1;
}
