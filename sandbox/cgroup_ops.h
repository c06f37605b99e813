/*
 * cgroup_ops.h - what cgroup v1 and v2 do differently; private to the cgroup modules and their test.
 *
 * Everything above this table is written once: cgroup_find.c finds the hierarchies, cgroup_host.c keeps the instance's
 * folders and sweeps those of dead ones, cgroup.c makes cells and runs.
 */
#ifndef CGROUP_OPS_H
#define CGROUP_OPS_H

#include "sandbox/cgroup.h"

/* A hierarchy as cgroup_find() found it. */
struct cgroup_place {
	char own[512];   /* folder of our own cgroup */
	char mount[512]; /* mount point */
	unsigned
		controllers; /* 1 << enum cgroup_controller; for v2 empty, cgroup.controllers says it */
};

struct cgroup_found {
	int version; /* 1 or 2: where the memory controller is */
	bool hybrid; /* v2 is mounted but the controllers are on v1 */
	int n;
	struct cgroup_place places[CGROUP_TREES]; /* the one with pids first */
};

/*
 * Reads proc/self/mountinfo and proc/self/cgroup beneath root (an open folder: "/", or a made-up tree in a test).  The
 * paths found begin with '/' and are meant beneath root too.
 */
int cgroup_find(int root, struct cgroup_found *f, struct err *e);

/* cgroup_host_open() beneath root. */
int cgroup_host_open_at(struct cgroup_host *h, int root, struct err *e);

/* Opens a path that cgroup_find() gave. */
int cgroup_open_path(int root, const char *path, struct err *e);

/*
 * Calls visit for the folder of every instance, dead or living, below a mount point that cgroup_find() gave: path can be opened
 * during the call, below is where it is seen from the mount point ("/a/gavel-1a2b3c4d").  An instance need not have been
 * started in the cgroup we are in.  Goes on after a failure; returns -1 if there was one.
 */
typedef int cgroup_visitor(void *arg, const char *path, const char *below, const char *name,
			   struct err *e);
int cgroup_walk(int root, const char *mount, cgroup_visitor *visit, void *arg, struct err *e);

/* "memory, pids" for a set of controllers, in the order of the enum. */
const char *cgroup_controller_name(enum cgroup_controller c);

struct cgroup_ops {
	const char *name; /* "v1", "v2" */

	/*
	 * The file by which a process with one thread moves itself.  On v1 that is "tasks": unlike cgroup.procs it asks for no lock
	 * that stops every fork of the machine and, after a moment of quiet, waits for a grace period of RCU first: 5 to 18 ms.
	 */
	const char *join;

	/* Chooses where this instance's folders go: fills ntrees, and of each tree parent, controllers and path. */
	int (*place)(struct cgroup_host *h, int root, const struct cgroup_found *f, struct err *e);

	/* The instance's folders are there: make them able to hold limited cgroups.  undo: all cells are gone. */
	int (*prepare)(struct cgroup_host *h, struct err *e);
	int (*undo)(struct cgroup_host *h, struct err *e);

	/* The same for a cell's folder, made in the instance's. */
	int (*branch)(const struct cgroup_host *h, int tree, int parent, int dir, struct err *e);

	/* Whether a run with these limits has to be in this tree. */
	bool (*needs)(const struct cgroup_host *h, int tree, const struct cgroup_limits *l);

	/* Puts cg->limits in force; memory_bytes 0 is a cell's init, which has no memory limit. */
	int (*limit)(struct cgroup *cg, struct err *e);

	/* Opens cg->files and cg->oom_fd. */
	int (*watch)(struct cgroup *cg, struct err *e);

	int (*cpu_us)(const struct cgroup *cg, uint64_t *us, struct err *e);
	int (*cpu)(const struct cgroup *cg, struct cgroup_usage *u, struct err *e);
	int (*split)(const struct cgroup *cg, struct cgroup_split *s, struct err *e);
	int (*memory_peak)(const struct cgroup *cg, struct cgroup_usage *u, struct err *e);
	int (*oom)(const struct cgroup *cg, uint64_t *kills, bool *at_limit, struct err *e);
};

extern const struct cgroup_ops cgroup_v1_ops;
extern const struct cgroup_ops cgroup_v2_ops;

/* The folder of the run in the hierarchy that has this controller, -1 if it is in none. */
int cgroup_dir_for(const struct cgroup *cg, enum cgroup_controller c);

/* Writes a limit and reads it back: what the kernel made of it must be the value, or rounded down to a page. */
int cgroup_set_limit(int dir, const char *file, uint64_t value, struct err *e);

/* 0 if the machine has no swap space; an error that says what is missing otherwise. */
int cgroup_no_swap(const char *missing, struct err *e);

/* Period of the CPU quota for so many thousandths of a CPU, in microseconds. */
uint64_t cgroup_cpu_period_us(uint32_t cpu_milli);

#endif
