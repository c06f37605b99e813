/*
 * measure.h - the time limit of a package that gives none: worked out from its own submissions, as the formats say.
 *
 * Every submission that bounds the limit from below (expect.h) is judged on all tests, under a limit of MEASURE_MAX_US.  The
 * limit is the slowest of those tests times the package's factor, rounded up to its resolution; times are as if no rule of a language
 * added to the limit.  It belongs to the stored version, so it is measured once and the same for all submissions.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdint.h>

struct err;
struct language;
struct problem;
struct problem_timing;
struct store;

#define MEASURE_MAX_US 300000000ULL

/*
 * A problem_measure; arg is a struct jury_builder with a program_socket.  -1: a submission is not as expected, needs too long, or
 * is in a language that is not here; or there is none.
 */
int measure_time_limit(void *arg, struct store *s, struct problem *p, struct err *e);

/* The smallest limit that fits; 0: it would be larger than a limit may be. */
uint64_t measure_limit_for(const struct problem_timing *t, uint64_t slowest_us);

/* CPU time as it would count in a language whose rule adds nothing to the limit. */
uint64_t measure_plain_time(const struct language *l, uint64_t us);

#endif
