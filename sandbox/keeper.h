/*
 * keeper.h - one process, one cell, one client.
 *
 * A keeper makes its cell before anybody asks for it, accepts one connection, serves it until it closes, wipes the cell and
 * exits; the master then starts another.  So nothing of a client, in memory or in the kernel, can reach the next one, and an orderly end
 * and a crash take the same path.
 */
#ifndef KEEPER_H
#define KEEPER_H

#include <stddef.h>
#include <sys/types.h>

#include "sandbox/cell.h"

#define KEEPER_ALLOW_MAX 16

/* Exit codes, for the master. */
enum { KEEPER_SERVED = 0, KEEPER_NO_CELL = 1, KEEPER_BROKEN = 2 };

struct keeper {
	struct cell_options cell;
	const char *pool;
	pid_t master;  /* whose death is ours */
	int listen_fd; /* non-blocking, shared by all keepers of the pool */
	uid_t allow[KEEPER_ALLOW_MAX];
	size_t nallow;
};

_Noreturn void keeper_main(const struct keeper *k);

#endif
