/*
 * cgroup.h - limits and measures of a run, and the handle by which all of it can be killed.
 *
 * Guarantee: cgroup_open() returns success only when every limit asked for is in force, read back from the kernel; what
 * cannot be enforced is an error that says why.  Nothing here is silently weaker on one kernel than on another: cgroup v1
 * and v2 are two implementations of one table (cgroup_ops.h), chosen once by cgroup_host_open().
 *
 *   <our own cgroup, or on v2 the root>/gavel-1a2b3c4d/   struct cgroup_host: one process tree of Gavel
 *     <cell>/                                             struct cgroup_cell: lives as long as the cell
 *       init/                                             the cell's own processes
 *       <run>/                                            struct cgroup: one run, never used twice
 *
 * The same folders exist in each hierarchy that is needed: one on v2, up to six on v1.  Never used twice because memory
 * that a dead program leaves charged (page tables, for some milliseconds) would be found in the next run's peak.
 *
 * An instance that dies without cgroup_host_close() is cleaned up by the next cgroup_host_open() on the machine: the folder
 * is locked (flock) as long as any process holds the descriptors, so a folder without a lock is garbage.  All descriptors
 * are close-on-exec; a forked child that must not keep the instance alive closes them.
 *
 * The interface files are described in the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/.
 */
#ifndef CGROUP_H
#define CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct cgroup_ops;

enum cgroup_controller {
	CGROUP_MEMORY,  /* always there: no memory limit, no jail */
	CGROUP_PIDS,    /* always there */
	CGROUP_CPUACCT, /* always there; part of every v2 cgroup */
	CGROUP_CPU,     /* may be missing: then only runs that ask for cpu_milli are refused */
	CGROUP_CPUSET,  /* may be missing: then only runs that ask for a CPU are refused */
	CGROUP_DEVICES, /* may be missing: then this layer is not in force; on v2 a BPF program */
	CGROUP_CONTROLLERS
};

#define CGROUP_TREES    6  /* hierarchies in use, at most */
#define CGROUP_NAME_MAX 63 /* bytes of a cell's or a run's name */

/* One hierarchy.  path is where our folder is, for messages. */
struct cgroup_tree {
	int parent;           /* the folder that holds ours */
	int dir;              /* our folder, locked */
	unsigned controllers; /* bit 1 << enum cgroup_controller for each it has */
	char path[512];
};

struct cgroup_host {
	const struct cgroup_ops *ops;
	char name[16]; /* "gavel-1a2b3c4d" */
	int ntrees;
	struct cgroup_tree trees[CGROUP_TREES];
	unsigned controllers;      /* those of all trees */
	char why_not_cpu[160];     /* why the cpu controller cannot be used, "" if it can */
	char why_not_cpuset[160];  /* the same for cpuset */
	char why_not_devices[160]; /* and for the list of devices */
	int devices_program; /* v2: of cgroup_devices.h; -1 on v1 and where it cannot be had */
	bool swap;           /* the machine had swap space when the instance was opened */
	bool moved;  /* v2: this process was moved into <name>/self to free its own cgroup */
	bool hybrid; /* v2 is mounted too but the controllers are on v1 */
};

struct cgroup_cell {
	const struct cgroup_host *host;
	char name[CGROUP_NAME_MAX + 1];
	int dirs[CGROUP_TREES];      /* <cell>, in the order of host->trees */
	int init[CGROUP_TREES];      /* <cell>/init */
	int procs_fds[CGROUP_TREES]; /* for cgroup_attach_self(): joins <cell>/init */
	int nprocs_fds;
};

/* Every field is enforced or cgroup_open() fails. */
struct cgroup_limits {
	uint64_t memory_bytes; /* > 0: all memory together, kernel memory included, no swap */
	uint32_t processes;    /* > 0: processes and threads together */
	uint32_t cpu_milli;    /* CPU bandwidth, 1000 is one CPU; 0: not limited */
	int cpu;               /* number of the only CPU to run on, -1: any */
};

/* Those of a run that are kept open; -1 where the kernel or the version has no such file. */
enum cgroup_file {
	CGROUP_FILE_CPU,
	CGROUP_FILE_CPU_USER,
	CGROUP_FILE_CPU_SYSTEM,
	CGROUP_FILE_THROTTLED,
	CGROUP_FILE_MEMORY,
	CGROUP_FILE_MEMORY_PEAK,
	CGROUP_FILE_MEMORY_STAT,
	CGROUP_FILE_KMEM,
	CGROUP_FILE_PIDS,
	CGROUP_FILE_PIDS_PEAK,
	CGROUP_FILE_OOM,
	CGROUP_FILES
};

/* The largest values seen by cgroup_sample() and after the end, each on its own. */
struct cgroup_split {
	uint64_t anon_bytes;  /* at least what the others leave of the peak */
	uint64_t shmem_bytes; /* tmpfs, memfd, shared anonymous memory */
	uint64_t file_bytes;  /* page cache without shmem; not in the peak */
	uint64_t kernel_bytes;
};

struct cgroup_usage {
	uint64_t cpu_us;
	uint64_t user_us;
	uint64_t system_us; /* user + system = cpu */
	uint64_t throttled_us;
	uint64_t
		memory_peak_bytes; /* the program's own: without page cache, which is the system's */
	bool memory_peak_sampled; /* the kernel keeps no peak (v2 before 5.19): the largest of the samples */
	struct cgroup_split split;
	uint32_t processes_peak;
	bool processes_peak_sampled; /* the kernel keeps no peak: the largest of the samples, at least 1 */
};

/* One run.  The fields are private but for those commented. */
struct cgroup {
	const struct cgroup_cell *cell;
	char name[CGROUP_NAME_MAX + 1];
	struct cgroup_limits limits; /* as asked for */
	int dirs[CGROUP_TREES];      /* -1 in a tree this run does not need */
	int procs_fds[CGROUP_TREES]; /* for cgroup_attach_self(): joins this run */
	int nprocs_fds;
	int oom_fd;       /* poll() it for oom_events ... */
	short oom_events; /* ... and call cgroup_oom_kills() when it is ready */
	int files[CGROUP_FILES];
	uint64_t sampled_memory_bytes;
	uint64_t own_peak_bytes; /* the largest peak without page cache */
	uint32_t sampled_processes;
	struct cgroup_split split;
};

/*
 * Finds the hierarchies, removes what dead instances left beside where this one belongs, and makes this one's folders.  The host must stay where it
 * is in memory until it is closed.  Needs root, or on v2 a delegated cgroup of which the caller is the only process (it is
 * then moved into a leaf).  The error names the path and how to mend it.
 */
int cgroup_host_open(struct cgroup_host *h, struct err *e);

/* Kills whatever is left in it, removes all of its folders, and undoes the move.  Closed or zeroed: does nothing. */
int cgroup_host_close(struct cgroup_host *h, struct err *e);

/* Removes what instances that are no longer alive left anywhere on the machine. */
int cgroup_host_sweep(struct err *e);

/* Version, controllers in use, and what is done about swap, as text for logs and doctor; at most len bytes. */
void cgroup_host_describe(const struct cgroup_host *h, char *text, size_t len);

/*
 * Makes <name>/ and <name>/init, the latter with room for init_processes.  The name: letters, digits, '-', '_' and '.',
 * not starting with '.', not "init", unique within the host.  *c is valid only on success.
 */
int cgroup_cell_open(const struct cgroup_host *h, const char *name, uint32_t init_processes,
		     struct cgroup_cell *c, struct err *e);

/* Kills and removes what a keeper that was killed has left of the cell of this name; nothing is fine. */
int cgroup_cell_clear(const struct cgroup_host *h, const char *name, struct err *e);

/* Kills what is left in the cell, also in runs that were never closed, and removes it. */
int cgroup_cell_close(struct cgroup_cell *c, struct err *e);

/* Makes the cgroup of one run, limits in force, nobody in it.  *cg is valid only on success. */
int cgroup_open(const struct cgroup_cell *c, const char *name, const struct cgroup_limits *limits,
		struct cgroup *cg, struct err *e);

/*
 * Moves the calling process, of one thread, into the cgroups whose files to join by were opened by whoever made them: writes "0" to
 * each.  Only raw system calls, so it is legal after vfork; returns 0, or the errno value (not -1) of the first failure.
 */
int cgroup_attach_self(const int *procs_fds, int n);

/*
 * 0 if every cgroup whose file to join by this is holds a process.  A jailed process cannot see from inside which cgroup it is in;
 * this looks from outside.
 */
int cgroup_check_joined(const int *procs_fds, int n, struct err *e);

/*
 * The ids of the processes in it, decimal, one a line, NUL-terminated; as many as fit.  Returns the length, or -1 with errno
 * set.
 */
ssize_t cgroup_processes(const struct cgroup *cg, char *text, size_t size);

/* CPU time used so far by all processes that are or were in it.  Lags by up to a tick while they run. */
int cgroup_cpu_usage_us(const struct cgroup *cg, uint64_t *us, struct err *e);

/* How many threads are in it now; more only if the dead among them are not reaped. */
int cgroup_threads(const struct cgroup *cg, uint64_t *n, struct err *e);

/* Notes memory split, processes, and memory where the kernel keeps no peak; to be called now and then during a run. */
int cgroup_sample(struct cgroup *cg, struct err *e);

/* Everything, exact once the cgroup is empty. */
int cgroup_usage(const struct cgroup *cg, struct cgroup_usage *u, struct err *e);

/*
 * How many processes of it the kernel killed for want of memory.  *at_limit: the run's own limit was reached; if not,
 * the whole machine was short of memory and the run is not to blame.  Makes oom_fd quiet until the next event.
 */
int cgroup_oom_kills(const struct cgroup *cg, uint64_t *kills, bool *at_limit, struct err *e);

/*
 * Kills every process in it, forking or not, and returns when SIGKILL has been sent to all of them.  On v1 nothing can be
 * forked in it afterwards.  Nobody is reaped here: that is their parents' work.
 */
int cgroup_kill(const struct cgroup *cg, struct err *e);

/* Waits until no live process is in it; an error after timeout_ms.  Zombies do not count. */
int cgroup_wait_empty(const struct cgroup *cg, int timeout_ms, struct err *e);

/* Kills what is left, waits for at most two seconds, removes it.  The descriptors are closed even on failure. */
int cgroup_close(struct cgroup *cg, struct err *e);

#endif
