/*
 * trial.h - one test: the program runs on its input, the validator looks at the output, the verdict is said.
 *
 * With an interactor both run at the same time and talk (game.h).  In a problem of several passes the validator may ask for another one
 * with an input of its making; every pass is a run with all of the limits, and the first that is not accepted is the last.
 */
#ifndef TRIAL_H
#define TRIAL_H

#include "judge/grade.h"
#include "judge/sandbox_client.h"

struct err;
struct job_config;
struct problem_case;
struct tally_result;

struct trial { /* test is set by the caller, the rest by trial_run(); released by trial_release() */
	const struct problem_case *test;
	struct sandbox_report report; /* of the last pass */
	struct sandbox_report worst;  /* no descriptors: the largest numbers of all passes */
	struct grade grade;
	unsigned passes;
	char *message, *team_message; /* may be NULL */
	enum grade_validator said;    /* what the validator said in the last pass */
	char *score, *multiplier;     /* its score.txt and score_multiplier.txt; NULL: none */
	char *transcript;             /* NULL: none was asked for, or nobody talked */
};

struct trial_cells { /* borrowed; both have their program */
	const struct job_config *config;
	struct sandbox_client *program,
		*jury; /* jury: NULL with the built-in validator; it may be lost afterwards */
};

/* -1: a cell, or the sandbox, failed; the trial is to be released all the same and may be run again. */
int trial_run(struct trial *t, const struct trial_cells *c, struct err *e);

/* As the API shows it, with its number (0 is the first) and its group; heap, NULL when out of memory. */
Judge__V1__Run *trial_result(const struct trial *t, size_t index, const char *group);

/* Sets the score of a run, or makes it the JUDGE_ERROR that its score is. */
int trial_rate(Judge__V1__Run *run, const struct tally_result *r, struct err *e);

void trial_release(struct trial *t);

#endif
