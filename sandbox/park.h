/*
 * park.h - the child of the next run, made before anybody asks for it.
 *
 * Nearly all that a run costs beyond exec does not depend on the request: a cgroup with its limits, a clone, the way into the
 * cgroup and out of every right, the filter of system calls, pipes.  So the keeper has it done in advance: after each reply it
 * parks a child for the next run, with the limits and the policy of the last one, which it has in most cases.  The child waits,
 * blocked, confined, charged to nobody but its own cgroup.
 *
 * Parked: cloned, in its cgroup, without rights.  Armed: confined by Landlock and the policy too, waiting for argv and
 * descriptors.  What a program changed in the box is replaced before the next run, and Landlock names folders by what is mounted
 * there now; so a child is armed ahead only if the box is as new.
 */
#ifndef PARK_H
#define PARK_H

#include <stdint.h>

#include "sandbox/cgroup.h"
#include "sandbox/output.h"
#include "sandbox/policy.h"

struct cell;
struct err;
struct jail_message;

#define PARK_MS 10000 /* for init and the child to get ready, on a machine that is very busy */

/* A pipe for the program to write to, and where its contents go. */
struct park_pipe {
	struct output output;
	int end; /* the program's */
};

struct park {
	struct cgroup cgroup; /* of the run to come; .cell NULL: there is nothing at all */
	int sync;             /* to the child, see jail.h; -1: none of the lines is open */
	int child_sync;       /* the child's end; -1 again once init was told to clone */
	int pidfd;            /* of the child; -1: nobody is parked, or init has not said so yet */
	int listener;         /* of seccomp; -1: not armed */
	char policy[POLICY_NAME_BYTES]; /* to be armed with, or armed */
	uint64_t cpu_base_us;           /* armed: used by the set-up so far */
	struct park_pipe out, err_out;  /* stdout and stderr */
};

/* Nobody parked, nothing open. */
#define PARK_EMPTY                                                                                 \
	{                                                                                          \
		.sync = -1, .child_sync = -1, .pidfd = -1, .listener = -1,                         \
		.out = {.output = {.pipe = -1, .memfd = -1, .sink = -1}, .end = -1},               \
		.err_out = {.output = {.pipe = -1, .memfd = -1, .sink = -1}, .end = -1},           \
	}

/*
 * Makes sure that a child is armed with these limits and this policy; the box is in its place.  0; 1: refused, *e says why; -1: the
 * cell is broken.
 */
int park_ready(struct cell *c, const struct cgroup_limits *limits, const char *policy,
	       struct err *e);

/* The same ahead of the request: arms only if the box is as new. */
int park_ahead(struct cell *c, const struct cgroup_limits *limits, const char *policy,
	       struct err *e);

/* Kills the parked child, if there is one, waits for its end and removes its cgroup. */
int park_drop(struct cell *c, struct err *e);

/* Init is dead, and all its children with it: removes what is left. */
int park_bury(struct cell *c, struct err *e);

/*
 * For when the keeper has time, as while a program runs: removes the last run's cgroup, or makes what the next child needs.  Returns
 * 1 if there may be more to do, 0 if not, -1 when the cell is broken.
 */
int park_chore(struct cell *c, const struct cgroup_limits *limits, struct err *e);

/* The child of the run has ended: tells init to clone the next one, if all that it needs is made, and waits for nothing. */
int park_order(struct cell *c, const char *policy, struct err *e);

/*
 * A word of the child: 1 with *m filled, and the listener if one came, 0 the socket was closed, -1 failure, e->num EAGAIN if
 * nothing came within timeout_ms.
 */
int park_read_word(int sync, int timeout_ms, struct jail_message *m, int *listener, struct err *e);

#endif
