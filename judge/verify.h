/*
 * verify.h - `judge verify PACKAGE...`: does every program in a package's submissions/ get the verdict of its folder?
 *
 * No server is needed: it judges with the same library as judged does (problem.h, job.h), on a store in a temporary folder and
 * a sandboxd of its own (verify_host.h), and leaves nothing behind.
 */
#ifndef VERIFY_H
#define VERIFY_H

enum verify_exit {
	VERIFY_OK = 0,
	VERIFY_UNEXPECTED = 1, /* a verdict is not as expected, or a package is broken */
	VERIFY_USAGE = 2,
	VERIFY_FAILED = 3, /* the judge's own fault */
};

/* argv[0] is the command's name, "verify".  Returns what to exit with. */
int verify_main(int argc, char **argv);

#endif
