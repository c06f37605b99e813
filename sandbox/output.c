#include "sandbox/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

int output_open(struct output *o, int sink, int *write_end, struct err *e)
{
	int ends[2];

	*o = (struct output){.pipe = -1, .memfd = -1, .sink = sink};
	o->memfd = io_memfd(e);
	if (o->memfd < 0)
		return -1;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		output_close(o);
		return err_sys(e, "pipe");
	}
	o->pipe = ends[0];
	*write_end = ends[1];
	if (fcntl(o->pipe, F_SETFL, O_NONBLOCK) < 0) {
		(void)close(*write_end);
		output_close(o);
		return err_sys(e, "pipe");
	}
	return 0;
}

void output_close(struct output *o)
{
	if (o->pipe >= 0)
		(void)close(o->pipe);
	if (o->memfd >= 0)
		(void)close(o->memfd);
	o->pipe = o->memfd = -1;
}

/* 1 when the limit did not allow all of it. */
static int keep(struct output *o, const char *chunk, uint64_t n, uint64_t *left, struct err *e)
{
	uint64_t fits = n < *left ? n : *left;

	if (io_write_all(o->memfd, chunk, fits, e) < 0)
		return -1;
	o->collected += fits;
	*left -= fits;
	return fits < n;
}

int output_drain(struct output *o, uint64_t *left, struct err *e)
{
	char chunk[65536];

	for (size_t done = 0; o->pipe >= 0 && done < OUTPUT_PIECE;) {
		ssize_t n = read(o->pipe, chunk, sizeof(chunk));
		int full;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : err_sys(e, "read the program's output");
		if (n == 0)
			(void)close(fd_steal(&o->pipe));
		full = keep(o, chunk, (uint64_t)n, left, e);
		if (full != 0)
			return full;
		done += (size_t)n;
	}
	return 0;
}

int output_wants_sink(const struct output *o)
{
	return o->sink >= 0 && o->sunk < o->collected;
}

void output_pump(struct output *o)
{
	char piece
		[PIPE_BUF]; /* a pipe that poll() calls writable has room for this much: pipe(7) */
	ssize_t n = pread(o->memfd, piece, sizeof(piece), (off_t)o->sunk);
	ssize_t written;

	if (n <= 0)
		return;
	written = write(o->sink, piece, (size_t)n);
	if (written >= 0)
		o->sunk += (uint64_t)written;
	else if (errno != EINTR && errno != EAGAIN)
		o->sink = -1;
}

void output_flush(struct output *o)
{
	struct pollfd p = {.fd = o->sink, .events = POLLOUT};

	while (output_wants_sink(o))
		if (poll(&p, 1, -1) > 0)
			output_pump(o);
}

int output_take(struct output *o, struct err *e)
{
	if (io_memfd_seal(o->memfd, e) < 0)
		return -1;
	return fd_steal(&o->memfd);
}
