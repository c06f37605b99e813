#include "judge/grade.h"

#include "judge/sandbox_client.h"
#include "proto/scope.h"

#define V(name) JUDGE__V1__VERDICT__##name

struct outcome {
	const struct sandbox_report *report;
	uint64_t cpu_limit_us;
	enum grade_validator validator;
	int first; /* it had its say before the program ended */
};

typedef int outcome_fn(const struct outcome *o, int arg);

static int ended_as(const struct outcome *o, int status)
{
	return (int)o->report->status == status;
}

static int over_cpu_limit(const struct outcome *o, int arg)
{
	(void)arg;
	return o->report->cpu_time_us > o->cpu_limit_us;
}

static int exit_not_zero(const struct outcome *o, int arg)
{
	(void)arg;
	return o->report->exit_code != 0;
}

static int validator_said(const struct outcome *o, int what)
{
	return (int)o->validator == what;
}

static int said_before(const struct outcome *o, int what)
{
	return o->first && (int)o->validator == what;
}

static int always(const struct outcome *o, int arg)
{
	(void)o;
	(void)arg;
	return 1;
}

/* clang-format off */
static const struct rule {
	outcome_fn *holds;
	int arg;
	int by_validator;
	struct grade grade;
} rules[] = {
	{ ended_as,       RUN_SANDBOX_ERROR,     0, { V(JUDGE_ERROR), "" } },
	{ said_before,    GRADE_BROKEN,          0, { V(JUDGE_ERROR), "" } },
	{ said_before,    GRADE_WRONG,           0, { V(WRONG_ANSWER), "" } },
	{ ended_as,       RUN_CPU_TIME_LIMIT,    0, { V(TIME_LIMIT_EXCEEDED), "cpu" } },
	{ ended_as,       RUN_WALL_TIME_LIMIT,   0, { V(TIME_LIMIT_EXCEEDED), "wall" } },
	{ ended_as,       RUN_MEMORY_LIMIT,      0, { V(MEMORY_LIMIT_EXCEEDED), "memory" } },
	{ ended_as,       RUN_OUTPUT_LIMIT,      0, { V(OUTPUT_LIMIT_EXCEEDED), "output" } },
	{ ended_as,       RUN_FORBIDDEN_SYSCALL, 0, { V(SECURITY_VIOLATION), "" } },
	/* It ended by itself, between the limit and the moment at which it would have been stopped. */
	{ over_cpu_limit, 0,                     0, { V(TIME_LIMIT_EXCEEDED), "cpu" } },
	{ ended_as,       RUN_SIGNALED,          0, { V(RUN_TIME_ERROR), "" } },
	{ exit_not_zero,  0,                     0, { V(RUN_TIME_ERROR), "" } },
	{ validator_said, GRADE_WRONG,           1, { V(WRONG_ANSWER), "" } },
	{ validator_said, GRADE_RIGHT,           1, { V(ACCEPTED), "" } },
	{ always,         0,                     1, { V(JUDGE_ERROR), "" } },
};

static const struct verdict_name {
	const char *code;
	Judge__V1__Verdict verdict, folded;
} names[] = {
	{ "AC",  V(ACCEPTED),              V(ACCEPTED) },
	{ "WA",  V(WRONG_ANSWER),          V(WRONG_ANSWER) },
	{ "TLE", V(TIME_LIMIT_EXCEEDED),   V(TIME_LIMIT_EXCEEDED) },
	{ "MLE", V(MEMORY_LIMIT_EXCEEDED), V(RUN_TIME_ERROR) },
	{ "OLE", V(OUTPUT_LIMIT_EXCEEDED), V(WRONG_ANSWER) },
	{ "RTE", V(RUN_TIME_ERROR),        V(RUN_TIME_ERROR) },
	{ "SV",  V(SECURITY_VIOLATION),    V(RUN_TIME_ERROR) },
	{ "CE",  V(COMPILE_ERROR),         V(COMPILE_ERROR) },
	{ "JE",  V(JUDGE_ERROR),           V(JUDGE_ERROR) },
};
/* clang-format on */

static const struct rule *first_match(const struct outcome *o)
{
	const struct rule *r = rules;

	while (!r->holds(o, r->arg)) /* the last row always holds */
		r++;
	return r;
}

struct grade grade_test(const struct sandbox_report *r, uint64_t cpu_limit_us,
			enum grade_validator validator)
{
	return grade_game(r, cpu_limit_us, validator, 0);
}

struct grade grade_game(const struct sandbox_report *r, uint64_t cpu_limit_us,
			enum grade_validator interactor, int first)
{
	struct outcome o = {r, cpu_limit_us, interactor, first};

	return first_match(&o)->grade;
}

int grade_wants_validator(const struct sandbox_report *r, uint64_t cpu_limit_us)
{
	struct outcome o = {r, cpu_limit_us, GRADE_NOT_RUN, 0};

	return first_match(&o)->by_validator;
}

enum grade_validator grade_icpc_exit(const struct sandbox_report *r)
{
	if (r->status != RUN_EXITED)
		return GRADE_BROKEN;
	return r->exit_code == 42 ? GRADE_RIGHT : r->exit_code == 43 ? GRADE_WRONG : GRADE_BROKEN;
}

static const struct verdict_name *name_of(Judge__V1__Verdict v)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].verdict == v)
			return &names[i];
	return NULL;
}

const char *grade_code(Judge__V1__Verdict v)
{
	const struct verdict_name *n = name_of(v);

	return n ? n->code : "?";
}

Judge__V1__Verdict grade_fold(Judge__V1__Verdict v)
{
	const struct verdict_name *n = name_of(v);

	return n ? n->folded : v;
}
