/*
 * jail.h - from clone to exec, as two tables.
 *
 * A cell is entered twice.  Once its init, fresh from clone3() with every namespace, runs jail_cell_steps: it builds the root,
 * leaves the host's tree and gives up what no program must ever have; it stays root of its own user namespace, and no more.
 * Then, for every run, a child of init runs jail_program_steps, waiting twice on the way, and becomes the program.
 *
 * Nothing runs between clone and exec that is not a row.  Each table ends with a verify row that asks the kernel whether all of
 * it is true; a row that fails, or whose effect verify misses, ends the run with the name of the row.  Tests hand in
 * tables with a row left out.
 */
#ifndef JAIL_H
#define JAIL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/err.h"

struct policy;
struct root;

/* The namespaces of a process, by inode, in the order of jail_namespace_names. */
enum jail_namespace {
	JAIL_USER,
	JAIL_PID,
	JAIL_MNT,
	JAIL_NET,
	JAIL_IPC,
	JAIL_UTS,
	JAIL_CGROUP,
	JAIL_NAMESPACES
};
extern const char *const jail_namespace_names[JAIL_NAMESPACES];
struct jail_namespaces {
	ino_t inode[JAIL_NAMESPACES];
};
int jail_namespaces_read(struct jail_namespaces *n, struct err *e);
int jail_namespace_read(enum jail_namespace which, ino_t *inode, struct err *e);

/* The number of the caller's session keyring, keyctl(2); -1 where there are none. */
long jail_session_keyring(void);

/* What a child says on its sync socket; a READY carries the seccomp listener beside it. */
enum jail_word { JAIL_FAILED, JAIL_READY, JAIL_STARTS };
struct jail_message {
	enum jail_word word;
	struct err err; /* of FAILED */
	int exec;       /* FAILED: it was execve itself that failed, err.num says why */
	int64_t set_up_us; /* STARTS: CPU time spent since it joined the run's cgroup: not the program's */
	int64_t started_us; /* STARTS: CLOCK_MONOTONIC, right before execve */
};

/* Everything a cell's init needs; borrowed. */
struct jail_cell {
	const struct root *root;
	const char *network;         /* "none", "loopback" or "bridge" */
	struct jail_namespaces host; /* of the keeper: none may be left */
	const int *procs_fds;        /* cgroup of the cell's own processes */
	int nprocs_fds;
	int go_fd; /* readable once the keeper has written the id maps */
};

/*
 * Everything a run's child needs; borrowed.  When the child is made nobody has asked for it yet: the park row waits for the name
 * of the policy, the request row, confined already, for the rest.
 */
struct jail_program {
	int (*await_policy)(struct jail_program *p, struct err *e);
	int (*await_request)(struct jail_program *p, struct err *e);
	const void *context;  /* of both */
	const int *procs_fds; /* the run's cgroups */
	int nprocs_fds;
	const int *fds; /* as they came: the first becomes 0, the next 1, ... */
	size_t nfds;    /* at least 3 */
	char *const *argv, *const *envp;
	const char *cwd;
	uint64_t stack_bytes;
	uint32_t open_files;
	const struct policy *policy;
	const struct root *root;     /* what Landlock grants */
	struct jail_namespaces cell; /* of init: ipc, uts and cgroup must be others */
	long session_keyring;        /* of init, -1 if there are no keyrings */
	int sync_fd;       /* SOCK_SEQPACKET: jail_message out, frames of sandbox.proto in */
	int64_t joined_us; /* CPU time used before it was in the run's cgroup */
};

typedef int jail_cell_fn(const struct jail_cell *c, struct err *e);
typedef int jail_program_fn(struct jail_program *p, struct err *e);

struct jail_cell_step {
	const char *name;
	jail_cell_fn *run;
};

struct jail_program_step {
	const char *name;
	jail_program_fn *run;
};

extern const struct jail_cell_step jail_cell_steps[];
extern const size_t jail_cell_nsteps;
extern const struct jail_program_step jail_program_steps[];
extern const size_t jail_program_nsteps;

/* The two tables a cell uses; those above unless a test says otherwise. */
struct jail_tables {
	const struct jail_cell_step *cell;
	size_t ncell;
	const struct jail_program_step *program;
	size_t nprogram;
};

/* Runs the rows up to the first failure; the error begins with the row's name. */
int jail_enter_cell(const struct jail_tables *t, const struct jail_cell *c, struct err *e);

/* Never returns: becomes the program, or says on sync_fd what failed and exits. */
_Noreturn void jail_become_program(const struct jail_tables *t, struct jail_program *p);

#endif
