/*
 * cell.h - a cell, seen from its keeper.
 *
 * A cell is an init in namespaces of its own, a pair of host ids, and a cgroup.  Opening it costs milliseconds and is done
 * before anybody waits for it.  Requests are those of sandbox.proto, so the same code serves a socket (keeper.c) and a command
 * line (sandbox_main.c).  Closing it kills everything in it; so does the death of the keeper.
 */
#ifndef CELL_H
#define CELL_H

#include <sched.h>
#include <stddef.h>
#include <sys/types.h>

#include "proto/sandbox.pb-c.h"
#include "sandbox/bridge.h"
#include "sandbox/cgroup.h"
#include "sandbox/ids.h"
#include "sandbox/jail.h"
#include "sandbox/park.h"
#include "sandbox/run.h"

struct err;
struct rules;

struct cell_options { /* borrowed for the life of the cell */
	const char *name;
	const struct rules *rules;
	const struct cgroup_host *cgroups;
	const struct jail_tables *tables; /* NULL: the real ones */
	const cpu_set_t
		*cpus; /* each run gets one of these to itself; NULL: those that ask for one */
	int once;      /* one RUN is all there will be: park no child behind it */
	uid_t ids_base, ids_count; /* 0: the defaults of ids.h */
	const char *
		instance; /* cells of the same share their private networks; NULL: those of command lines */
};

/* What the keeper knows of the folders that programs write to. */
struct cell_box {
	int ready; /* init would replace nothing before a run */
	uint64_t bytes, inodes;
};

struct cell {
	struct cell_options options;
	struct ids ids;
	struct cgroup_cell cgroup;
	int init_sock, init_pidfd;
	pid_t init_pid;
	const struct root
		*root;        /* what init was started with; fixed once something was put or run */
	const char *network;  /* "none", "loopback" or "bridge" */
	struct bridge bridge; /* open if it is that */
	cpu_set_t cpus;       /* that runs may have to themselves */
	long online;          /* CPUs of the machine when the cell was opened */
	int touched;
	unsigned runs;
	struct cell_box box;
	struct park park; /* the child of the next run */
	int ended;        /* the parked child is dead, as init has said */
	struct cgroup spent
		[2]; /* of the runs before, to be removed when nobody waits; .cell NULL: none */
	struct run_ties ties; /* of the runs to come; -1, -1, -1 unless the owner sets them */
};

/*
 * The names of the layers that are in force in a cell, for the welcome and for doctor; returns how many.  Those that depend on
 * the kernel are named only where it has them.
 */
#define CELL_LAYERS_MAX 40
size_t cell_layers(const struct cgroup_host *h, const char *layers[CELL_LAYERS_MAX]);

/* Needs rights_obtain(). */
int cell_open(struct cell *c, const struct cell_options *o, struct err *e);
void cell_close(struct cell *c);

/*
 * Makes the calling process, while it watches a run, go before ordinary ones (SCHED_FIFO), not what it forks: who watches deadlines
 * must not wait behind the programs it watches.  Where that is not allowed nothing changes; deadlines are then as exact as the
 * machine is idle.
 */
void cell_watch_first(void);

/*
 * Init's answer to what it was asked, or that the child has ended, which it says unasked; the caller frees it and releases the
 * frame.  NULL with *e on failure.  While an answer is awaited, the end of a child that was parked is noted in c->ended.
 */
struct channel_frame;
Sandbox__Reply *cell_hear(struct cell *c, int timeout_ms, struct channel_frame *f, struct err *e);
Sandbox__Reply *cell_hear_end(struct cell *c, int timeout_ms, struct channel_frame *f,
			      struct err *e);

/* While nobody asks for anything: does what would delay the next run.  Returns as park_chore() does. */
int cell_rest(struct cell *c, struct err *e);

/* Called for each Reply; the descriptors are borrowed. */
typedef int cell_reply(void *arg, const Sandbox__Reply *r, const int *fds, size_t nfds,
		       struct err *e);

/*
 * Checks and carries out one request.  A request that is refused is answered with Reply.error and is no failure here; -1 means
 * that the cell, or the way the replies go, is broken.
 */
int cell_request(struct cell *c, Sandbox__Request *rq, const int *fds, size_t nfds,
		 cell_reply *reply, void *arg, struct err *e);

#endif
