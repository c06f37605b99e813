/*
 * neighbour.h - a cell that is busy: a process of its own whose program burns CPU and memory until it is told to stop.
 */
#ifndef NEIGHBOUR_H
#define NEIGHBOUR_H

#include <sys/types.h>

struct err;

struct neighbour {
	pid_t pid;
	int sock; /* closing it ends the run and the cell */
};

/* spin: the path of that program.  Returns once it runs. */
int neighbour_open(struct neighbour *n, const char *spin, struct err *e);
void neighbour_close(struct neighbour *n);

#endif
