/*
 * jury.h - a problem's own validator, in a cell of the jury's pool.
 *
 * The validator is built once, when the package is imported; its program is kept as blobs.  For a job it is put into a jury cell and
 * kept there; then it looks at one output after the other, each time in a fresh box with an empty folder feedback/.
 *
 * It is called in the way of the ICPC format: PROGRAM /dev/fd/3 /dev/fd/4 feedback/ ARGUMENTS, the team's output on standard
 * input, 42 for right and 43 for wrong.
 */
#ifndef JURY_H
#define JURY_H

#include "judge/grade.h"

struct blob_cache;
struct err;
struct language;
struct languages;
struct problem;
struct problem_built;
struct problem_program;
struct sandbox_client;

#define JURY_MESSAGE_MAX 8192 /* bytes kept of each message of a validator */

struct jury_builder {       /* borrowed */
	const char *socket; /* of the jury's pool */
	const struct languages *languages;
	int timeout_ms; /* waiting for a cell */
};

/* A problem_build for problem_import(); arg is a struct jury_builder. */
int jury_build(void *arg, const struct problem *p, const struct problem_program *program,
	       struct problem_built *out, struct err *e);

/* Makes the built program of a problem, its validator or its grader, the cell's /program. */
int jury_load(struct sandbox_client *c, const struct problem_program *program,
	      struct blob_cache *blobs, struct err *e);

struct jury_test { /* borrowed; sealed memfds */
	int input_fd, answer_fd, output_fd;
	const char *const *args; /* NULL-terminated */
};

struct jury_outcome { /* released by jury_outcome_release() */
	enum grade_validator said;
	char *message;      /* for the judges: judgemessage.txt, or why it is GRADE_BROKEN */
	char *team_message; /* teammessage.txt */
};

/* -1: the sandbox is at fault.  Whatever the validator does wrong is GRADE_BROKEN. */
int jury_validate(struct sandbox_client *c, const struct problem *p, const struct language *l,
		  const struct jury_test *t, struct jury_outcome *out, struct err *e);
void jury_outcome_release(struct jury_outcome *o);

#endif
