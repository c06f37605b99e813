/*
 * init.h - pid 1 of a cell.
 *
 * A clone of the keeper (never exec'ed), inside all of the cell's namespaces, root of the cell's user namespace and of nothing
 * else.  It holds the mounts, moves files in and out of the box, starts each program and reaps everything.  It answers the
 * keeper's requests one at a time: PUT, FETCH and KEEP as sandbox.proto has them, and two that make a run:
 *
 *   PREPARE  same_box, box_bytes, box_inodes: makes the box what a RUN with these fields finds.
 *   PARK     sync socket, `attach` cgroup.procs files, policy: clones the child of the next run, once the last one has ended.
 *            The Reply has its pidfd, and box_ready if nothing would be left for PREPARE to replace.
 *
 * If it is, the child goes through all rows that do not depend on a request and says READY; if not, it waits on the sync socket for
 * a PARK with the policy, which the keeper sends when the box is in its place.  RUN, on the same socket, with stdin, stdout,
 * stderr and the program's extra files makes it go on to exec.  When it ends, whatever its life was, init kills everything else
 * in the cell and sends one Reply that nobody asked for, the only one with a status.
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
