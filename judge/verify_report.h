/*
 * verify_report.h - what `judge verify` found, as a table for people or JSON for programs.
 */
#ifndef VERIFY_REPORT_H
#define VERIFY_REPORT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct problem;
struct problem_submission;

struct verify_outcome { /* of one submission; the strings are owned */
	const struct problem_submission *submission;
	const char *language; /* NULL: none fits */
	int verdict;          /* Judge__V1__Verdict; 0: it could not be judged */
	char *test;           /* the one that decided; NULL: none */
	char *reason;         /* which limit fired there, as in Usage.reason; NULL: none */
	char *message;        /* why; may be NULL */
	char *transcript;     /* of the last test; NULL: none was asked for, or nobody talked */
	uint64_t cpu_time_us, memory_peak_bytes; /* largest of all tests */
};

struct verify_report {
	const char *dir;
	const struct problem *problem; /* NULL: it could not be read */
	const char *error;             /* NULL: it could be judged */
	struct verify_outcome *outcomes;
	size_t n;
};

/* How many are not as expected. */
size_t verify_unexpected(const struct verify_report *p);

/* A line for each submission and one for the package, on standard output. */
void verify_print(const struct verify_report *p);

/* The same for programs; a new reference, or NULL when out of memory. */
json_t *verify_to_json(const struct verify_report *p);

#endif
