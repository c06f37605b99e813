/*
 * run.h - the keeper's side of one run: limits, clock, output, and the report.
 *
 * Theory of operation: a child is parked, see park.h.  The keeper hands it the request, and it says what CPU time its set-up took
 * and when it starts; nobody waits for that.  The keeper sleeps in ppoll(2) until something happens: output, the program's end,
 * a forbidden call, the out-of-memory notice, the earliest moment at which a limit could be reached, or the client going
 * away.  The first limit that fires is the one that is reported; it kills the program, and init then kills whatever else
 * there is.  What is reported is read from the counters when the last process is dead.
 */
#ifndef RUN_H
#define RUN_H

#include <stddef.h>

#include "proto/sandbox.pb-c.h"

struct cell;
struct err;

/* Where a live copy of the output goes (-1: nowhere), and whose hanging up ends the run (-1: nobody's). */
struct run_ties {
	int stdout_sink, stderr_sink;
	int client;
};

/* What a run leaves behind: the report, and the descriptors that go with it (owned by the caller). */
struct run_result {
	Sandbox__Reply reply; /* its strings point into this struct */
	char syscall[64];
	char message[256];
	int fds[2];
	size_t nfds;
};

/*
 * One run in a cell, from a checked request.  0: *r holds the report.  1: refused, *e says why, the cell is fine.  -1: the
 * cell is broken and must be closed.
 */
int run_request(struct cell *c, Sandbox__Request *rq, const int *fds, size_t nfds,
		const struct run_ties *ties, struct run_result *r, struct err *e);

/* What follows a run once its reply is out: parks the child of the next one, which may well be like it.  -1: the cell is broken. */
int run_settle(struct cell *c, const char *policy, struct err *e);

#endif
