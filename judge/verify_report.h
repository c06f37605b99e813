/*
 * verify_report.h - what `judge verify` found, as a table for people or JSON for programs.
 */
#ifndef VERIFY_REPORT_H
#define VERIFY_REPORT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "judge/expect.h"
#include "judge/inspect.h"
#include "proto/judge.pb-c.h"

struct problem;
struct problem_submission;

struct verify_outcome { /* of one submission; the strings are owned */
	const struct problem_submission *submission;
	const char *language;     /* NULL: none fits */
	int verdict;              /* Judge__V1__Verdict; 0: it could not be judged */
	char *test;               /* the one that decided; NULL: none */
	char *reason;             /* which limit fired there, as in Usage.reason; NULL: none */
	char *message;            /* why; may be NULL */
	char *transcript;         /* of the last test; NULL: none was asked for, or nobody talked */
	enum expect_state state;  /* EXPECT_MET: as expected */
	char why[EXPECT_WHY_MAX]; /* it is not */
	Judge__V1__Score *score;  /* of the submission and its groups; NULL: none */
	/*
	 * The slowest of the tests that bound the time limit from below and of those that bound it from above, as if the
	 * language had the limit itself; 0: none does.  at_least: it was stopped then.
	 */
	uint64_t lower_us, upper_us;
	int at_least;
	uint64_t cpu_time_us, memory_peak_bytes; /* largest of all tests */
};

struct verify_report {
	const char *dir;
	const struct problem *problem; /* NULL: it could not be read */
	const char *error;             /* NULL: it could be judged */
	struct verify_outcome *outcomes;
	size_t n;
	struct inspect_found found; /* wrong with the data */
};

/* How the times of the submissions lie around the limit. */
struct verify_margin {
	const struct verify_outcome *slowest, *fastest; /* accepted; too slow; NULL: none */
	char warnings[2][240];                          /* "" where all is well */
};

struct verify_margin verify_margin(const struct verify_report *p);

/* All as expected, and a limit that was measured leaves the margins that it must. */
int verify_good(const struct verify_report *p);

/* How many are not as expected. */
size_t verify_unexpected(const struct verify_report *p);

/* A line for each submission and one for the package, on standard output. */
void verify_print(const struct verify_report *p);

/* The same for programs; a new reference, or NULL when out of memory. */
json_t *verify_to_json(const struct verify_report *p);

#endif
