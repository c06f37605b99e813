/*
 * grade.h - from what happened to a verdict.
 *
 * One table, first match wins; the list of verdicts in judge/README.md is this table in words.  Everything here is pure.
 */
#ifndef GRADE_H
#define GRADE_H

#include <stdint.h>

#include "proto/judge.pb-c.h"

struct sandbox_report;

/* What the validator said of one output. */
enum grade_validator {
	GRADE_NOT_RUN, /* because grade_wants_validator() said so */
	GRADE_RIGHT,
	GRADE_WRONG,
	GRADE_BROKEN, /* neither yes nor no, or a limit of its own */
};

struct grade {
	Judge__V1__Verdict verdict;
	const char *reason; /* of Usage.reason: which limit fired; "" for none; static */
};

/* The verdict of one test; cpu_limit_us is the limit that the run had. */
struct grade grade_test(const struct sandbox_report *r, uint64_t cpu_limit_us,
			enum grade_validator validator);

/*
 * The same where the validator talks with the program: first says that it had ended before the program did.  What it said
 * then may be why the program failed, so it comes before that.
 */
struct grade grade_game(const struct sandbox_report *r, uint64_t cpu_limit_us,
			enum grade_validator interactor, int first);

/* 1 if only the validator can tell. */
int grade_wants_validator(const struct sandbox_report *r, uint64_t cpu_limit_us);

/* Exit codes of the ICPC format: 42 right, 43 wrong; anything else, also 0, is broken. */
enum grade_validator grade_icpc_exit(const struct sandbox_report *r);

/* "AC" and so on; "?" for what is no verdict. */
const char *grade_code(Judge__V1__Verdict v);

/* What rules that know fewer verdicts call it: MLE and SV are RTE, OLE is WA, the others themselves. */
Judge__V1__Verdict grade_fold(Judge__V1__Verdict v);

#endif
