/*
 * init.h - pid 1 of a cell.
 *
 * A clone of the keeper (never exec'ed), inside all of the cell's namespaces, root of the cell's user namespace and of nothing
 * else.  It holds the mounts, moves files in and out of the box, starts each program and reaps everything.  It answers the
 * keeper's requests one at a time: PUT, FETCH and KEEP as sandbox.proto has them, and two that make a run:
 *
 *   PARK  sync socket, `attach` cgroup.procs files: clones the child, which joins the run's cgroup, gives up its rights and
 *         waits.  The Reply has its pidfd.  A child parked before is dropped.
 *   RUN   stdin, stdout, stderr, the program's extra files: handed on to the child.  Two Replies: one at once, one with how the
 *         program ended, when no process is left.
 */
#ifndef INIT_H
#define INIT_H

#include "sandbox/jail.h"

struct init {
	const struct jail_tables *tables;
	struct jail_cell cell;
	const struct rules *rules;
	int sock; /* to the keeper */
	int last_pid_fd; /* /proc/sys/kernel/ns_last_pid of the host's proc, which acts on the writer's pid namespace */
};

/* Never returns. */
_Noreturn void init_main(struct init *in);

#endif
