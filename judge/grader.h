/*
 * grader.h - a problem's own grader (legacy format, graders/), in a cell of the jury's pool: it makes the result of a group of tests
 * out of those of its tests and groups.
 *
 * It is called as PROGRAM ARGUMENTS, gets a line "VERDICT SCORE" for each result on standard input, prints one such line and exits
 * with 0.
 */
#ifndef GRADER_H
#define GRADER_H

struct err;
struct language;
struct problem;
struct problem_group;
struct sandbox_client;
struct tally_result;

/*
 * The cell's /program is the grader (jury_load()).  -1: the sandbox is at fault.  Whatever the grader does wrong makes *out a
 * JUDGE_ERROR that says what.
 */
int grader_run(struct sandbox_client *c, const struct problem *p, const struct language *l,
	       const struct problem_group *g, const char *results, struct tally_result *out,
	       struct err *e);

#endif
