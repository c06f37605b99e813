/*
 * protocol.h - how a package's validators and interactors are called, and what their exit codes say.
 *
 * icpc     PROGRAM INPUT ANSWER /box/feedback/ ARGUMENTS, the output on standard input; 42 right, 43 wrong, anything else is broken.
 *          Messages are files in feedback/.
 * testlib  PROGRAM INPUT OUTPUT ANSWER; 0 right; 1 wrong answer, 2 presentation error, 4 dirt, 8 unexpected end of file: wrong;
 *          7 points and "partially correct": not right, so wrong where nothing is scored; 3 fail and anything else: broken.
 *          The message is what it writes to standard error.
 *
 * testlib's interactor: PROGRAM INPUT /box/feedback/tout ANSWER, pipes to and from the contestant's program; the same exit codes.  After 0
 * the checker looks at what is in tout, and has the last word.
 *
 * INPUT is descriptor 3, ANSWER 4 and OUTPUT 5 in the validator's cell.
 */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include "judge/grade.h"
#include "judge/problem.h"

struct protocol {
	const char *const *words; /* behind the program's own command; NULL-terminated */
	int output_is_file;       /* descriptor 5 instead of standard input */
	int speaks;               /* its standard error is the message for the judges */
	const char *codes; /* what an exit code is that it does not have: "neither 42 nor 43" */
	enum grade_validator (*said)(const struct sandbox_report *r);
	const char *leaves; /* file in feedback/ that is for the validator to look at; NULL: none */
};

const struct protocol *protocol_of(enum problem_protocol p);

/* Of an interactor that is not the validator itself. */
const struct protocol *protocol_of_interactor(enum problem_protocol p);

#endif
