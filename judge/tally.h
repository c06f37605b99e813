/*
 * tally.h - from the results of tests to those of groups and of the submission, and which tests still matter.
 *
 * Tests are added in judging order.  tally_next() says which one is needed next and gives every group that is complete its result;
 * what cannot change any result any more is left out.  A JUDGE_ERROR ends it.
 *
 * PROBLEM_GRADED, PROBLEM_CUSTOM (legacy): a group's result is what its grader makes of the results of its tests and groups, in
 * order, up to the first that is not accepted unless the group goes on.  The submission's result is that of the first group.
 *
 * PROBLEM_SCORED (2025-09): the score of a test is its group's maximum divided by the group's tests (group of sums), or that maximum
 * (of minima), or what score.txt or score_multiplier.txt of the validator says; of a failed one 0.  A group with require_pass runs
 * only when those were passed.  The submission's score is that of `secret`; its verdict is that of its first test that is not
 * accepted.
 *
 * Sums are exact: a hundred points on three tests are a hundred when all are right.  A score that is shown is rounded as score.h
 * says.
 */
#ifndef TALLY_H
#define TALLY_H

#include <stddef.h>

#include "judge/grade.h"
#include "judge/score.h"

struct err;
struct problem;
struct problem_group;

/* One test, as it is added. */
struct tally_test {
	Judge__V1__Verdict verdict;
	enum grade_validator said; /* what the validator said, also where it did not decide */
	/* What it left in score.txt and in score_multiplier.txt: NULL for no such file. */
	const char *score_file, *multiplier_file;
};

/* What became of a test or a group. */
struct tally_result {
	Judge__V1__Verdict verdict; /* UNSPECIFIED: not judged */
	int has_score;
	struct score score;
	char message[256]; /* why, for a JUDGE_ERROR and for what was not judged; else empty */
};

/*
 * Runs the package's grader: results is its standard input, a line for each result.  -1: the sandbox is at fault.  What the grader
 * does wrong is a JUDGE_ERROR with a message.
 */
typedef int tally_grader(void *arg, const struct problem_group *g, const char *results,
			 struct tally_result *out, struct err *e);

struct tally;

/* NULL: out of memory.  The problem is borrowed. */
struct tally *tally_new(const struct problem *p, tally_grader *grader, void *arg);
void tally_free(struct tally *t);

/*
 * 1: *index is the next test to be judged and added; 0: there is none, all groups have their results; -1: a grader could not be
 * run, and may be tried again by calling this again.
 */
int tally_next(struct tally *t, size_t *index, struct err *e);

/* Adds the test that tally_next() named.  *out may be a JUDGE_ERROR where the test itself was none. */
void tally_add(struct tally *t, const struct tally_test *test, struct tally_result *out);

/* After tally_next() said 0: of a group by index; the first group's is that of the submission. */
const struct tally_result *tally_group(const struct tally *t, size_t index);

/*
 * After the same: what the API shows of it.  *out is the caller's; NULL for a pass-fail problem whose tests are in no groups but
 * sample and secret.
 */
int tally_report(const struct tally *t, Judge__V1__Score **out, struct err *e);

/* The most, or where the least is best the least, that a problem gives, into SCORE_TEXT_MAX bytes; "" when there is no bound. */
void tally_best(const struct problem *p, char *out);

/* The same as a number; 0: there is no bound. */
int tally_best_score(const struct problem *p, struct score *out);

/*
 * Reads what a grader prints: "AC 12.5", one line.  -1: it is anything else.
 */
int tally_read_grade(const char *text, size_t len, Judge__V1__Verdict *verdict,
		     struct score *score);

#endif
