/*
 * bare.h - fork, exec and wait, without a jail: the floor that everything is compared with.
 *
 * It is timed in a process of its own that was forked before the measuring program loaded anything: fork(2) copies page
 * tables, so a large parent would make the floor look higher than it is.
 */
#ifndef BARE_H
#define BARE_H

#include <stddef.h>
#include <sys/types.h>

struct err;

struct bare {
	int sock;
	pid_t pid;
};

enum bare_how {
	BARE_FORK,  /* fork, exec, wait */
	BARE_VFORK, /* the same by vfork */
	BARE_PIPES, /* fork with pipes: text goes in, output is read to its end, wait */
};

/* commands: a table, ended by NULL, of NULL-terminated argument vectors; borrowed for good. */
int bare_open(struct bare *b, const char *const *const *commands, struct err *e);
void bare_close(struct bare *b);

/* Milliseconds of `times` executions of commands[which], one after the other; each must exit with 0. */
int bare_run(struct bare *b, enum bare_how how, size_t which, unsigned times, double *ms,
	     struct err *e);

/* What BARE_PIPES writes to standard input, and how much must come back. */
#define BARE_INPUT  "17 25\n"
#define BARE_ANSWER "42\n"

#endif
