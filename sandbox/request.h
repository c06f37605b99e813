/*
 * request.h - what a command line of `sandbox run` asks of a cell, as the requests of sandbox.proto.
 *
 * No channel is between the two: what one would refuse is refused here.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "sandbox/cell.h"

struct options;

/* What the options say of a run, but for who it is: argv, env and cwd.  Borrows the texts. */
Sandbox__Request request_run(const struct options *o);

/* As cell_request(), with the sizes and texts checked. */
int request_send(struct cell *c, Sandbox__Request *rq, const int *fds, size_t nfds,
		 cell_reply *reply, void *arg, struct err *e);

/* The same for a request that is answered with "done": being refused is a failure. */
int request_do(struct cell *c, Sandbox__Request *rq, const int *fds, size_t nfds, struct err *e);

/* All that --copy-in names, at most max bytes of it, into the box that the options describe. */
int request_copy_in(struct cell *c, const struct options *o, uint64_t max, struct err *e);

#endif
