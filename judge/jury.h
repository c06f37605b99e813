/*
 * jury.h - a problem's own validator, in a cell of the jury's pool.
 *
 * The validator is built once, when the package is imported; its program is kept as blobs.  For a job it is put into a jury cell and
 * kept there; then it looks at one output after the other, each time in a fresh box with a folder feedback/: an empty one, or in
 * a later pass what the pass before left there.
 *
 * How it is called and what it answers with is its package's protocol (protocol.h).  As an interactor it has pipes to and from the
 * program instead of its output (game.h).
 */
#ifndef JURY_H
#define JURY_H

#include "judge/feedback.h"
#include "judge/grade.h"

struct blob_cache;
struct err;
struct game;
struct language;
struct languages;
struct problem;
struct problem_built;
struct problem_program;
struct sandbox_client;

struct jury_builder {       /* borrowed */
	const char *socket; /* of the jury's pool */
	const struct languages *languages;
	int timeout_ms;             /* waiting for a cell */
	const char *program_socket; /* of the other pool, for measure_time_limit() */
};

/* A problem_build for problem_import(); arg is a struct jury_builder. */
int jury_build(void *arg, const struct problem *p, const struct problem_program *program,
	       struct problem_built *out, struct err *e);

/* Makes the built program of a problem, its validator or its grader, the cell's /program. */
int jury_load(struct sandbox_client *c, const struct problem_program *program,
	      struct blob_cache *blobs, struct err *e);

/* How the built program, in this language, is called. The caller frees it with language_argv_free(). */
char **jury_argv(const struct problem *p, const struct problem_program *program,
		 const struct language *l, struct err *e);

/* Limits of a run of it. */
struct jury_limits {
	uint64_t time_us, memory_bytes, output_bytes, box_bytes;
};

struct jury_limits jury_limits_of(const struct problem *p, const struct language *l);

struct jury_test {                             /* borrowed; sealed memfds */
	const struct problem_program *program; /* that the cell has; NULL: the validator */
	int input_fd, answer_fd, output_fd;
	const char *const *args;         /* NULL-terminated */
	const struct feedback *feedback; /* of the pass before; NULL: this is the first */
};

struct jury_outcome { /* released by jury_outcome_release() */
	enum grade_validator said;
	char *message;            /* for the judges: judgemessage.txt, or why it is GRADE_BROKEN */
	char *team_message;       /* teammessage.txt */
	char *score, *multiplier; /* of a scoring problem: score.txt, score_multiplier.txt */
	int next_fd; /* nextpass.in with GRADE_RIGHT: the program is to run again; -1: it is not */
	int output_fd; /* what an interactor leaves for the validator to look at; -1: nothing */
	struct feedback
		feedback; /* all of it if the problem has several passes, otherwise the messages */
};

/* -1: the sandbox is at fault.  Whatever the validator does wrong is GRADE_BROKEN. */
int jury_validate(struct sandbox_client *c, const struct problem *p, const struct language *l,
		  const struct jury_test *t, struct jury_outcome *out, struct err *e);

/*
 * The same for an interactor, whose opposite is g->program with g->program_spec; the rest of *g but the transcript is set here.  The
 * program's report is the caller's to release, also after -1; the outcome is the interactor's, and to be seen with
 * g->interactor_first.
 */
int jury_interact(struct sandbox_client *c, const struct problem *p, const struct language *l,
		  const struct jury_test *t, struct game *g, struct jury_outcome *out,
		  struct err *e);

void jury_outcome_release(struct jury_outcome *o);

#endif
