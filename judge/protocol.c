#include "judge/protocol.h"

#include "judge/feedback.h"
#include "judge/sandbox_client.h"
#include "proto/scope.h"

/*
 * testlib's partial results have exit codes that depend on how it was compiled, from 0 on if nothing else was said.  What it
 * writes first does not.
 */
static int is_partial(const struct sandbox_report *r)
{
	static const char text[] = "partially correct (";
	char start[sizeof(text) - 1];

	return r->stderr_fd >= 0 && pread(r->stderr_fd, start, sizeof(start), 0) == sizeof(start) &&
	       memcmp(start, text, sizeof(start)) == 0;
}

static enum grade_validator testlib_said(const struct sandbox_report *r)
{
	static const struct {
		int code;
		enum grade_validator said;
	} codes[] = {
		{0, GRADE_RIGHT}, {1, GRADE_WRONG}, {2, GRADE_WRONG},
		{4, GRADE_WRONG}, {7, GRADE_WRONG}, {8, GRADE_WRONG},
	};

	if (r->status != RUN_EXITED)
		return GRADE_BROKEN;
	if (is_partial(r))
		return GRADE_WRONG;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i].code == r->exit_code)
			return codes[i].said;
	return GRADE_BROKEN;
}

static const char *const icpc_words[] = {"/dev/fd/3", "/dev/fd/4", "/box/" FEEDBACK_FOLDER, NULL};
static const char *const testlib_words[] = {"/dev/fd/3", "/dev/fd/5", "/dev/fd/4", NULL};

static const char *const interactor_words[] = {"/dev/fd/3", "/box/" FEEDBACK_FOLDER "tout",
					       "/dev/fd/4", NULL};

static const struct protocol protocols[] = {
	[PROBLEM_ICPC] = {icpc_words, 0, 0, "neither 42 nor 43", grade_icpc_exit, NULL},
	[PROBLEM_TESTLIB] = {testlib_words, 1, 1,
			     "the checker failed (0, 1, 2, 4, 7 or 8 is an answer)", testlib_said,
			     NULL},
};

static const struct protocol testlib_interactor = {
	interactor_words, 0,     1, "the interactor failed (0, 1, 2, 4, 7 or 8 is an answer)",
	testlib_said,     "tout"};

const struct protocol *protocol_of(enum problem_protocol p)
{
	return &protocols[p];
}

const struct protocol *protocol_of_interactor(enum problem_protocol p)
{
	return p == PROBLEM_TESTLIB ? &testlib_interactor : &protocols[p];
}
