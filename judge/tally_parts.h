/*
 * tally_parts.h - what the files of the tally tell each other; callers of tally.h need none of it.
 *
 * tally.c walks the tree, tally_grade.c knows the graders of the legacy format, tally_score.c the scores of 2025-09 and of single
 * tests.
 */
#ifndef TALLY_PARTS_H
#define TALLY_PARTS_H

#include "judge/tally.h"

/* The result of a test or a group, as the group around it sees it. */
struct tally_sub {
	Judge__V1__Verdict verdict;
	struct score score;
	struct score exact; /* of a test: the score times the tests of its group, not rounded */
};

struct tally_subs { /* borrowed, in order */
	const struct tally_sub *list;
	size_t n;
	size_t tests; /* of the group itself; what was not judged counts as well */
};

/* Makes it a JUDGE_ERROR for this reason. */
void tally_break(struct tally_result *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The score of one test of a group of so many; *out is a JUDGE_ERROR when the validator's files break the rules. */
void tally_score_test(const struct problem *p, size_t group, size_t tests,
		      const struct tally_test *test, struct tally_sub *sub,
		      struct tally_result *out);

/* PROBLEM_SCORED */
void tally_score_group(const struct problem *p, size_t group, const struct tally_subs *subs,
		       struct tally_result *out);

/* PROBLEM_GRADED */
void tally_grade_default(const struct problem_group *g, const struct tally_subs *subs,
			 struct tally_result *out);

/* PROBLEM_CUSTOM: what the grader gets on standard input; the caller frees it.  NULL: out of memory. */
char *tally_grade_lines(const struct tally_subs *subs);

/* Does what a grader said keep to the group's range?  Only accepted results of scoring problems have a score. */
void tally_grade_check(const struct problem *p, const struct problem_group *g,
		       struct tally_result *r);

#endif
