/*
 * serve.h - the master of sandboxd: sockets, and a keeper for each cell.
 *
 * Two pools, two sockets in one folder: program.sock for contestants' code, jury.sock for validators.  They differ in nothing but
 * who is sent there, so contestant and jury never share a cell.  The master reads rules, opens sockets and forks; it
 * reads nothing that a client sends.
 */
#ifndef SERVE_H
#define SERVE_H

#include <stddef.h>
#include <sys/types.h>

#include "sandbox/keeper.h"

struct err;

#define SERVE_CELLS_MAX 256

struct serve_options {
	const char *socket_dir, *rules_dir;
	const char *root_cache; /* NULL: the default of root_cache.h */
	unsigned program_cells, jury_cells;
	uid_t allow[KEEPER_ALLOW_MAX]; /* besides root, or the user who starts it */
	size_t nallow;
	uid_t ids_base, ids_count;
	const cpu_set_t *cpus; /* as cell_options have it */
};

/* Serves until SIGTERM or SIGINT; returns 0 then, and everything it made is gone. */
int serve(const struct serve_options *o, struct err *e);

#endif
