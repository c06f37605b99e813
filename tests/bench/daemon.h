/*
 * daemon.h - a sandboxd of the measuring program's own, in a temporary folder.
 */
#ifndef DAEMON_H
#define DAEMON_H

#include <stddef.h>
#include <sys/types.h>

struct err;
struct sandbox_client;

#define DAEMON_PATIENCE_MS 60000

struct daemon {
	pid_t pid;
	char dir[64];     /* the sockets are in it */
	char program[96]; /* the socket of the pool for programs */
	char jury[96];
};

/* Starts build/bin/sandboxd with so many cells in all, of which one is the jury's; its log goes to log, a path, or nowhere. */
int daemon_start(struct daemon *d, const char *bin, unsigned cells, const char *log, struct err *e);

/* Asks it to end, waits, and removes the folder; fails when it did not end with 0. */
int daemon_stop(struct daemon *d, struct err *e);

/* Waits for a welcome on the socket, also while it is not there yet. */
struct sandbox_client *daemon_connect(const char *socket, struct err *e);

/* Proportional set size of the process and everything below it, in bytes; *processes: how many those are. */
int daemon_pss(pid_t pid, double *bytes, unsigned *processes, struct err *e);

#endif
