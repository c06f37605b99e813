/*
 * selftest_traps.h - what a program without a sandbox would reach, and a look at whether anything did.
 *
 * A secret that everybody may read and write, a process, servers, shared memory, an input.  The attacks are told of them in their
 * environment, so that they need not guess.  All of it belongs to the calling process, which becomes the one that orphans
 * come to, and where it may gets a mount table of its own, in which a mount that the sandbox leaves is seen at once.
 */
#ifndef SELFTEST_TRAPS_H
#define SELFTEST_TRAPS_H

#include <limits.h>
#include <sys/types.h>

struct err;

struct traps {
	char work[PATH_MAX - 64]; /* a folder of their own */
	char secret[48];
	char canary[PATH_MAX], input[PATH_MAX];
	pid_t victim;
	int tcp, abstract; /* listening */
	unsigned port;
	char name[48]; /* of the abstract socket, and of the shared memory */
	int shm_key, shm_id;
	char *mounts; /* /proc/self/mountinfo as it was, or NULL */
};

#define TRAPS_TEXTS 16
#define TRAPS_INPUT "input of the attack\n"

/* Sets them in a folder that exists and is empty; on failure, too, the caller clears them. */
int traps_set(struct traps *t, const char *work, struct err *e);

/* "NAME=VALUE" for the attack, allocated, NULL behind the last one; turn is its number where several are run. */
int traps_environment(const struct traps *t, unsigned turn, char *texts[TRAPS_TEXTS],
		      struct err *e);

/* An error that says which trap was sprung, or what was left behind.  The victim is gone afterwards. */
int traps_check(struct traps *t, struct err *e);

/* Takes away what is not a file. */
void traps_clear(struct traps *t);

#endif
