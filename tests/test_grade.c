#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "judge/grade.h"
#include "judge/sandbox_client.h"
#include "proto/scope.h"

#define V(name) JUDGE__V1__VERDICT__##name
#define LIMIT   1000000

static struct sandbox_report exited(int code, uint64_t cpu_us)
{
	return (struct sandbox_report){
		.status = RUN_EXITED, .exit_code = code, .cpu_time_us = cpu_us};
}

/* clang-format off */
static const struct {
	const char *what;
	struct sandbox_report report;
	enum grade_validator validator;
	Judge__V1__Verdict verdict;
	const char *reason;
} cases[] = {
	{ "right",                   { .status = RUN_EXITED },            GRADE_RIGHT,   V(ACCEPTED), "" },
	{ "wrong",                   { .status = RUN_EXITED },            GRADE_WRONG,   V(WRONG_ANSWER), "" },
	{ "validator broken",        { .status = RUN_EXITED },            GRADE_BROKEN,  V(JUDGE_ERROR), "" },
	{ "validator forgotten",     { .status = RUN_EXITED },            GRADE_NOT_RUN, V(JUDGE_ERROR), "" },
	{ "exit 1, right output",    { .status = RUN_EXITED, .exit_code = 1 },   GRADE_RIGHT, V(RUN_TIME_ERROR), "" },
	{ "exit 42 means nothing",   { .status = RUN_EXITED, .exit_code = 42 },  GRADE_NOT_RUN, V(RUN_TIME_ERROR), "" },
	{ "SIGSEGV",                 { .status = RUN_SIGNALED, .signal = 11 },   GRADE_NOT_RUN, V(RUN_TIME_ERROR), "" },
	{ "SIGSYS that it sent",     { .status = RUN_SIGNALED, .signal = 31 },   GRADE_NOT_RUN, V(RUN_TIME_ERROR), "" },
	{ "cpu",                     { .status = RUN_CPU_TIME_LIMIT },    GRADE_NOT_RUN, V(TIME_LIMIT_EXCEEDED), "cpu" },
	{ "wall",                    { .status = RUN_WALL_TIME_LIMIT },   GRADE_NOT_RUN, V(TIME_LIMIT_EXCEEDED), "wall" },
	{ "memory",                  { .status = RUN_MEMORY_LIMIT },      GRADE_NOT_RUN, V(MEMORY_LIMIT_EXCEEDED), "memory" },
	{ "output",                  { .status = RUN_OUTPUT_LIMIT },      GRADE_NOT_RUN, V(OUTPUT_LIMIT_EXCEEDED), "output" },
	{ "forbidden call",          { .status = RUN_FORBIDDEN_SYSCALL }, GRADE_NOT_RUN, V(SECURITY_VIOLATION), "" },
	{ "sandbox",                 { .status = RUN_SANDBOX_ERROR },     GRADE_NOT_RUN, V(JUDGE_ERROR), "" },
	{ "at the limit",            { .status = RUN_EXITED, .cpu_time_us = LIMIT },     GRADE_RIGHT, V(ACCEPTED), "" },
	{ "just over",               { .status = RUN_EXITED, .cpu_time_us = LIMIT + 1 }, GRADE_RIGHT, V(TIME_LIMIT_EXCEEDED), "cpu" },
	{ "over, and exit 1",        { .status = RUN_EXITED, .exit_code = 1, .cpu_time_us = LIMIT + 1 }, GRADE_NOT_RUN, V(TIME_LIMIT_EXCEEDED), "cpu" },
	{ "over, and SIGABRT",       { .status = RUN_SIGNALED, .signal = 6, .cpu_time_us = LIMIT + 1 },  GRADE_NOT_RUN, V(TIME_LIMIT_EXCEEDED), "cpu" },
	{ "memory first, then over", { .status = RUN_MEMORY_LIMIT, .cpu_time_us = LIMIT + 1 },           GRADE_NOT_RUN, V(MEMORY_LIMIT_EXCEEDED), "memory" },
	{ "wall first, then over",   { .status = RUN_WALL_TIME_LIMIT, .cpu_time_us = LIMIT + 1 },        GRADE_NOT_RUN, V(TIME_LIMIT_EXCEEDED), "wall" },
	{ "sandbox, and over",       { .status = RUN_SANDBOX_ERROR, .cpu_time_us = LIMIT + 1 },          GRADE_NOT_RUN, V(JUDGE_ERROR), "" },
};
/* clang-format on */

Test(grade, first_match_wins)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct grade g = grade_test(&cases[i].report, LIMIT, cases[i].validator);

		cr_expect(eq(int, (int)g.verdict, (int)cases[i].verdict), "%s", cases[i].what);
		cr_expect(eq(str, (char *)g.reason, (char *)cases[i].reason), "%s", cases[i].what);
	}
}

/* Where the validator talks with the program: what it said, and whether that was before the program ended. */
/* clang-format off */
static const struct {
	const char *what;
	struct sandbox_report report;
	enum grade_validator said;
	int first;
	Judge__V1__Verdict verdict;
	const char *reason;
} games[] = {
	{ "right, then the program",    { .status = RUN_EXITED },                   GRADE_RIGHT,   1, V(ACCEPTED), "" },
	{ "the program, then right",    { .status = RUN_EXITED },                   GRADE_RIGHT,   0, V(ACCEPTED), "" },
	{ "wrong, then the program",    { .status = RUN_EXITED },                   GRADE_WRONG,   1, V(WRONG_ANSWER), "" },
	{ "the program, then wrong",    { .status = RUN_EXITED },                   GRADE_WRONG,   0, V(WRONG_ANSWER), "" },
	{ "wrong, then a crash",        { .status = RUN_SIGNALED },                 GRADE_WRONG,   1, V(WRONG_ANSWER), "" },
	{ "wrong, then exit 1",         { .status = RUN_EXITED, .exit_code = 1 },   GRADE_WRONG,   1, V(WRONG_ANSWER), "" },
	{ "wrong, then the wall",       { .status = RUN_WALL_TIME_LIMIT },          GRADE_WRONG,   1, V(WRONG_ANSWER), "" },
	{ "wrong, then a flood",        { .status = RUN_OUTPUT_LIMIT },             GRADE_WRONG,   1, V(WRONG_ANSWER), "" },
	{ "a crash, then wrong",        { .status = RUN_SIGNALED },                 GRADE_WRONG,   0, V(RUN_TIME_ERROR), "" },
	{ "the wall, then wrong",       { .status = RUN_WALL_TIME_LIMIT },          GRADE_WRONG,   0, V(TIME_LIMIT_EXCEEDED), "wall" },
	{ "the CPU limit, then wrong",  { .status = RUN_CPU_TIME_LIMIT },           GRADE_WRONG,   0, V(TIME_LIMIT_EXCEEDED), "cpu" },
	{ "right, then a crash",        { .status = RUN_SIGNALED },                 GRADE_RIGHT,   1, V(RUN_TIME_ERROR), "" },
	{ "right, then the wall",       { .status = RUN_WALL_TIME_LIMIT },          GRADE_RIGHT,   1, V(TIME_LIMIT_EXCEEDED), "wall" },
	{ "right, late",                { .status = RUN_EXITED, .cpu_time_us = LIMIT + 1 }, GRADE_RIGHT, 1, V(TIME_LIMIT_EXCEEDED), "cpu" },
	{ "broken, then the program",   { .status = RUN_EXITED },                   GRADE_BROKEN,  1, V(JUDGE_ERROR), "" },
	{ "broken, then a crash",       { .status = RUN_SIGNALED },                 GRADE_BROKEN,  1, V(JUDGE_ERROR), "" },
	{ "the program, then broken",   { .status = RUN_EXITED },                   GRADE_BROKEN,  0, V(JUDGE_ERROR), "" },
	{ "a crash, then broken",       { .status = RUN_SIGNALED },                 GRADE_BROKEN,  0, V(RUN_TIME_ERROR), "" },
	{ "the memory, then broken",    { .status = RUN_MEMORY_LIMIT },             GRADE_BROKEN,  0, V(MEMORY_LIMIT_EXCEEDED), "memory" },
	{ "the sandbox, after wrong",   { .status = RUN_SANDBOX_ERROR },            GRADE_WRONG,   1, V(JUDGE_ERROR), "" },
};
/* clang-format on */

Test(grade, in_a_game_it_counts_who_ended_first)
{
	for (size_t i = 0; i < ARRAY_LEN(games); i++) {
		struct grade g = grade_game(&games[i].report, LIMIT, games[i].said, games[i].first);

		cr_expect(eq(int, (int)g.verdict, (int)games[i].verdict), "%s", games[i].what);
		cr_expect(eq(str, (char *)g.reason, (char *)games[i].reason), "%s", games[i].what);
	}
}

/* The order of the design in another form: ask from the last rule to the first, the last answer stays. */
static Judge__V1__Verdict oracle(const struct sandbox_report *r, enum grade_validator said,
				 int first)
{
	Judge__V1__Verdict v = V(JUDGE_ERROR);

	if (said == GRADE_RIGHT)
		v = V(ACCEPTED);
	if (said == GRADE_WRONG)
		v = V(WRONG_ANSWER);
	if (r->exit_code != 0 || r->status == RUN_SIGNALED)
		v = V(RUN_TIME_ERROR);
	if (r->cpu_time_us > LIMIT)
		v = V(TIME_LIMIT_EXCEEDED);
	if (r->status == RUN_FORBIDDEN_SYSCALL)
		v = V(SECURITY_VIOLATION);
	if (r->status == RUN_OUTPUT_LIMIT)
		v = V(OUTPUT_LIMIT_EXCEEDED);
	if (r->status == RUN_MEMORY_LIMIT)
		v = V(MEMORY_LIMIT_EXCEEDED);
	if (r->status == RUN_CPU_TIME_LIMIT || r->status == RUN_WALL_TIME_LIMIT)
		v = V(TIME_LIMIT_EXCEEDED);
	if (first && said == GRADE_WRONG)
		v = V(WRONG_ANSWER);
	if (first && said == GRADE_BROKEN)
		v = V(JUDGE_ERROR);
	if (r->status == RUN_SANDBOX_ERROR)
		v = V(JUDGE_ERROR);
	return v;
}

Test(grade, every_combination)
{
	static const int codes[] = {0, 1, 42, 43, 255};
	static const uint64_t cpu[] = {0, LIMIT - 1, LIMIT, LIMIT + 1, UINT64_MAX};
	size_t n = 0;

	for (int status = RUN_EXITED; status <= RUN_SANDBOX_ERROR; status++)
		for (size_t c = 0; c < ARRAY_LEN(codes); c++)
			for (size_t t = 0; t < ARRAY_LEN(cpu); t++)
				for (int i = 0; i < 2 * (GRADE_BROKEN + 1); i++, n++) {
					int said = i / 2;
					struct sandbox_report r = exited(codes[c], cpu[t]);

					r.status = (enum sandbox_status)status;
					cr_expect(eq(int,
						     (int)grade_game(&r, LIMIT,
								     (enum grade_validator)said,
								     i % 2)
							     .verdict,
						     (int)oracle(&r, (enum grade_validator)said,
								 i % 2)),
						  "status %d, code %d, cpu %llu, validator %d",
						  status, codes[c], (unsigned long long)cpu[t],
						  said);
				}
	cr_expect(eq(sz, n, 8 * 5 * 5 * 8));
}

Test(grade, the_validator_is_asked_only_when_it_decides)
{
	struct sandbox_report fine = exited(0, LIMIT);
	struct sandbox_report slow = exited(0, LIMIT + 1);
	struct sandbox_report failed = exited(1, 0);

	cr_expect(eq(int, grade_wants_validator(&fine, LIMIT), 1));
	cr_expect(zero(int, grade_wants_validator(&slow, LIMIT)));
	cr_expect(zero(int, grade_wants_validator(&failed, LIMIT)));
	for (int status = RUN_SIGNALED; status <= RUN_SANDBOX_ERROR; status++) {
		struct sandbox_report r = {.status = (enum sandbox_status)status};

		cr_expect(zero(int, grade_wants_validator(&r, LIMIT)), "status %d", status);
	}
}

Test(grade, icpc_exit_codes)
{
	for (int code = 0; code < 256; code++) {
		struct sandbox_report r = exited(code, 0);
		int want = code == 42 ? GRADE_RIGHT : code == 43 ? GRADE_WRONG : GRADE_BROKEN;

		cr_expect(eq(int, (int)grade_icpc_exit(&r), want), "code %d", code);
	}
	for (int status = RUN_SIGNALED; status <= RUN_SANDBOX_ERROR; status++) {
		struct sandbox_report r = {.status = (enum sandbox_status)status, .exit_code = 42};

		cr_expect(eq(int, (int)grade_icpc_exit(&r), GRADE_BROKEN), "status %d", status);
	}
}

Test(grade, codes_and_folding)
{
	static const struct {
		Judge__V1__Verdict v;
		const char *code, *folded;
	} names[] = {
		{V(ACCEPTED), "AC", "AC"},
		{V(WRONG_ANSWER), "WA", "WA"},
		{V(TIME_LIMIT_EXCEEDED), "TLE", "TLE"},
		{V(MEMORY_LIMIT_EXCEEDED), "MLE", "RTE"},
		{V(OUTPUT_LIMIT_EXCEEDED), "OLE", "WA"},
		{V(RUN_TIME_ERROR), "RTE", "RTE"},
		{V(SECURITY_VIOLATION), "SV", "RTE"},
		{V(COMPILE_ERROR), "CE", "CE"},
		{V(JUDGE_ERROR), "JE", "JE"},
		{V(VERDICT_UNSPECIFIED), "?", "?"},
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		cr_expect(eq(str, (char *)grade_code(names[i].v), (char *)names[i].code));
		cr_expect(eq(str, (char *)grade_code(grade_fold(names[i].v)),
			     (char *)names[i].folded));
	}
	/* A verdict added to judge.proto needs a row. */
	cr_expect(eq(sz, judge__v1__verdict__descriptor.n_values, ARRAY_LEN(names)));
}
