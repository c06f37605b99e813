#include "judge/grader.h"

#include "judge/grade.h"
#include "judge/jury.h"
#include "judge/language.h"
#include "judge/names.h"
#include "judge/problem.h"
#include "judge/sandbox_client.h"
#include "judge/tally.h"
#include "judge/text.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define ANSWER_BYTES 1024 /* a line is enough */

static size_t count(char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

/* The strings are borrowed from both. */
static const char **full_command(char *const *program, char *const *args, struct err *e)
{
	size_t np = count(program), na = count(args);
	const char **argv = calloc(np + na + 1, sizeof(*argv));

	if (!argv) {
		err_set(e, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < np; i++)
		argv[i] = program[i];
	for (size_t i = 0; i < na; i++)
		argv[np + i] = args[i];
	return argv;
}

static void blame(const struct problem_group *g, const char *how, struct tally_result *out)
{
	*out = (struct tally_result){.verdict = JUDGE__V1__VERDICT__JUDGE_ERROR};
	snprintf(out->message, sizeof(out->message), "the grader of group %.60s: %s",
		 g->name[0] ? g->name : "data", how);
}

static void how_it_ended(const struct sandbox_report *r, char *out, size_t size)
{
	if (r->status == RUN_EXITED)
		snprintf(out, size, "exit code %d, expected 0", r->exit_code);
	else if (r->status == RUN_SIGNALED)
		snprintf(out, size, "ended by signal %d", r->signal);
	else if (r->status == RUN_FORBIDDEN_SYSCALL)
		snprintf(out, size, "stopped for the system call %s", r->syscall);
	else
		snprintf(out, size, "over its %s limit",
			 grade_test(r, UINT64_MAX, GRADE_NOT_RUN).reason);
}

static int read_answer(const struct problem_group *g, const struct sandbox_report *r,
		       struct tally_result *out, struct err *e)
{
	AUTO_CLOSE int fd = io_reopen(r->stdout_fd, e);
	AUTO_FREE char *text = NULL;
	char how[180], shown[80];

	if (r->status != RUN_EXITED || r->exit_code != 0) {
		how_it_ended(r, how, sizeof(how));
		blame(g, how, out);
		return 0;
	}
	if (fd < 0 || text_clean_fd(fd, ANSWER_BYTES, &text, e) < 0)
		return -1;
	*out = (struct tally_result){.verdict = 0};
	if (tally_read_grade(text, strlen(text), &out->verdict, &out->score) == 0) {
		if (out->verdict == JUDGE__V1__VERDICT__JUDGE_ERROR)
			blame(g, "says JE", out);
		return 0;
	}
	names_escape(text, strlen(text), shown, sizeof(shown));
	snprintf(how, sizeof(how), "expected one line like \"AC 10\", found \"%s\"", shown);
	blame(g, how, out);
	return 0;
}

static int run(struct sandbox_client *c, const struct problem *p, const struct language *l,
	       const char **argv, int input, struct sandbox_report *r, struct err *e)
{
	struct jury_limits lim = jury_limits_of(p, l);
	struct sandbox_spec spec = {
		.policy = l->run.policy,
		.argv = argv,
		.env = (const char *const *)l->run.env,
		.cpu_time_us = lim.time_us,
		.wall_time_us = 2 * lim.time_us + 1000000,
		.memory_bytes = lim.memory_bytes,
		.output_bytes = lim.output_bytes,
		.box_bytes = lim.box_bytes,
		.processes = l->run.processes,
		.stdin_fd = input,
	};

	if (sandbox_client_run(c, &spec, r, e) < 0)
		return -1;
	return r->status == RUN_SANDBOX_ERROR ? err_set(e, "%s", r->message) : 0;
}

int grader_run(struct sandbox_client *c, const struct problem *p, const struct language *l,
	       const struct problem_group *g, const char *results, struct tally_result *out,
	       struct err *e)
{
	struct sandbox_report r = {.stdout_fd = -1, .stderr_fd = -1};
	AUTO_CLOSE int input = io_memfd_of(results, strlen(results), e);
	char **program = input < 0 ? NULL : jury_argv(p, &p->grader, l, e);
	const char **argv = program ? full_command(program, g->args, e) : NULL;
	int rc = argv ? run(c, p, l, argv, input, &r, e) : -1;

	if (rc == 0)
		rc = read_answer(g, &r, out, e);
	sandbox_report_release(&r);
	free(argv);
	language_argv_free(program);
	return rc < 0 ? err_wrap(e, "grader") : 0;
}
