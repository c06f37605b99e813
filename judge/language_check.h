/*
 * language_check.h - `judge languages --check`: does every installed language judge right?
 *
 * Each language has five programs in rules/check/programs/NAME: one that is right, one that is wrong, one that crashes, one that
 * does not end and one that takes all memory.  They are judged on the package rules/check/sums through real cells, by the same
 * library as judged's, without a server (verify_host.h).
 */
#ifndef LANGUAGE_CHECK_H
#define LANGUAGE_CHECK_H

#include "judge/verify_host.h"

struct language_check_options { /* borrowed */
	struct verify_host_options host;
	int json;
	char *const *names; /* only these languages; none: all that are installed */
	size_t n;
};

/* Prints what it found.  Returns what to exit with: enum verify_exit of verify.h. */
int language_check(const struct language_check_options *o);

#endif
