/*
 * cells.h - the cells of all instances of Gavel on this machine, found from outside.
 *
 * There is no registry to ask: an instance is a cgroup folder gavel-XXXXXXXX that somebody has locked, a cell is a folder in it that
 * has an "init" (cgroup.h).  Everything else is read from /proc.  Nothing is changed, no lock is taken, and what vanishes
 * while it is looked at is simply not there any more.
 */
#ifndef CELLS_H
#define CELLS_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sandbox/cgroup.h"

struct err;

enum cells_state {
	CELLS_UNKNOWN,  /* not ours to know: needs root */
	CELLS_STARTING, /* it has no init yet, or none any more */
	CELLS_IDLE,     /* nobody has connected to its keeper */
	CELLS_SERVING,  /* it belongs to a client, nothing is running */
	CELLS_RUNNING,
};
const char *cells_state_name(enum cells_state s);

struct cells_tree {
	char path[PATH_MAX]; /* of the instance's folder */
	unsigned controllers;
};

struct cells_instance {
	char name[16];
	int version;      /* of the cgroups */
	pid_t master;     /* who locked it; 0: nobody we can see */
	char program[32]; /* the master's name, as it is: to be escaped */
	uid_t owner;      /* of the folder */
	int ntrees;
	struct cells_tree trees[CGROUP_TREES]; /* the one with pids first */
};

/* Numbers that cannot be known are -1. */
struct cells_cell {
	size_t instance; /* index */
	char name[CGROUP_NAME_MAX + 1];
	pid_t init, keeper; /* 0: unknown */
	enum cells_state state;
	int64_t tasks, cpu_us, memory_bytes, memory_peak_bytes;
};

struct cells {
	int version;
	struct cells_instance *instances;
	size_t ninstances;
	struct cells_cell *cells; /* ordered by instance, then name */
	size_t ncells;
};

/* Finds all; release even after a failure. */
int cells_find(struct cells *c, struct err *e);
void cells_release(struct cells *c);

/* Opens the folder of a cell, or of a group in it ("" for its own), in one hierarchy; -1 if it is not there. */
int cells_open(const struct cells *c, const struct cells_cell *cell, int tree, const char *group);

/* Calls visit for each group of the cell in this hierarchy: "init" and those of its runs. */
typedef void cells_visitor(void *arg, const char *group);
void cells_groups(const struct cells *c, const struct cells_cell *cell, int tree,
		  cells_visitor *visit, void *arg);

/*
 * The process ids in file, "cgroup.procs" or "tasks", of an open folder; *n of them, on the heap.  Those of other pid namespaces,
 * which the kernel shows as 0, are left out.
 */
pid_t *cells_pids(int dir, const char *file, size_t *n);

/* Opens /proc/PID; what is read through it is of this very process or fails.  -1 if there is none. */
int cells_process(pid_t pid);

/*
 * 1 if the process is in a run but has not become the program yet, still being a copy of init; 0 if it is a program; -1 if that
 * cannot be seen.
 */
int cells_parked(int process, int init);

#endif
