/*
 * selftest_warm.h - runs one after the other in one warm cell, as a keeper of sandboxd makes them for its client.
 *
 * Does the second one find what the first has left?  `sandbox run`, which has a new cell each time, cannot tell.
 */
#ifndef SELFTEST_WARM_H
#define SELFTEST_WARM_H

#include <stddef.h>

struct err;
struct options;

/*
 * Carries out n command lines of `sandbox run`, in a process that ends afterwards.  The first line's --copy-in becomes the
 * program of them all, under /program; only its --rules counts.  Of the others' options those count that are limits,
 * environment, policy, network and where the output and the report go; the input is `input` each time.
 */
int warm_run(const struct options *lines, size_t n, const char *input, struct err *e);

#endif
