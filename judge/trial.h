/*
 * trial.h - one test: the program runs on its input, the validator looks at the output, the verdict is said.
 */
#ifndef TRIAL_H
#define TRIAL_H

#include "judge/grade.h"
#include "judge/sandbox_client.h"

struct err;
struct job_config;
struct problem_case;

struct trial { /* test is set by the caller, the rest by trial_run(); released by trial_release() */
	const struct problem_case *test;
	struct sandbox_report report;
	struct grade grade;
	char *message, *team_message; /* may be NULL */
};

struct trial_cells { /* borrowed; both have their program */
	const struct job_config *config;
	struct sandbox_client *program, *jury; /* jury: NULL with the built-in validator */
};

/* -1: a cell, or the sandbox, failed; the trial is to be released all the same and may be run again. */
int trial_run(struct trial *t, const struct trial_cells *c, struct err *e);

/* As the API shows it, with its number (0 is the first); heap, NULL when out of memory. */
Judge__V1__Run *trial_result(const struct trial *t, size_t index);

void trial_release(struct trial *t);

#endif
