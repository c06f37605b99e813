/*
 * verify_host.h - what `judge verify` does as root, and no more: start sandboxd, wait, clean up.
 *
 *   root     verify_host_run(): makes the temporary folder, starts sandboxd, forks the worker, waits for both
 *   user       the worker: gives up root for good, only then opens packages; its exit status is the result
 *   root     ends sandboxd by its pid; the user's files are removed by another process of that user
 *
 * The parent reads nothing that a package or its programs have written.  Without root all of them are the one user, and there is
 * nothing to give up.
 */
#ifndef VERIFY_HOST_H
#define VERIFY_HOST_H

#include <limits.h>

struct err;

struct verify_host_options {
	const char *user;  /* to become; NULL: gavel if there is one, else nobody */
	const char *rules; /* NULL: the folder that belongs to this program */
	const char *
		socket; /* folder of the sockets of a sandboxd that runs already; NULL: start one */
	unsigned cells; /* of each pool */
	const char
		*pin; /* CPUs that runs get to themselves, as sandboxd's option; NULL: they share */
};

struct verify_host { /* what the worker gets */
	char program_socket[PATH_MAX], jury_socket[PATH_MAX];
	char store[PATH_MAX]; /* URL */
	int rules;            /* the folder, open: the user may have no way to it */
};

/* Runs without privilege in a process of its own; returns its exit status. */
typedef int verify_work(void *arg, const struct verify_host *host);

/* What work returned; -1 when it could not be started, or sandboxd or the worker died. */
int verify_host_run(const struct verify_host_options *o, verify_work *work, void *arg,
		    struct err *e);

#endif
