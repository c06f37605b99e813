/*
 * park.h - the child of the next run, made before anybody asks for it.
 *
 * Most of what a run costs does not depend on the request: a cgroup with its limits, a clone, the way into the cgroup and out of
 * every right.  So the keeper has it done in advance: after each reply it parks a child for the next run, with the limits of the
 * last one, which it has in most cases.  The child waits, blocked, charged to nobody but its own cgroup.
 */
#ifndef PARK_H
#define PARK_H

#include "sandbox/cgroup.h"

struct cell;
struct err;

struct park {
	struct cgroup cgroup; /* of the run to come, the child in it */
	int sync;             /* to the child, see jail.h; -1: nobody is parked */
	int pidfd;            /* of the child */
};

/* Makes sure that a child is parked in a cgroup with these limits.  0; 1: refused, *e says why; -1: the cell is broken. */
int park_ready(struct cell *c, const struct cgroup_limits *limits, struct err *e);

/* Kills the parked child, if there is one, and removes its cgroup. */
int park_drop(struct cell *c, struct err *e);

#endif
