#include "judge/trial.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "judge/blob_cache.h"
#include "judge/job.h"
#include "judge/jury.h"
#include "judge/language.h"
#include "judge/problem.h"
#include "judge/text.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

struct view { /* a sealed memfd in memory; it cannot change or shrink */
	void *data;
	size_t len;
};

static int view_open(int fd, struct view *v, struct err *e)
{
	struct stat st;

	*v = (struct view){NULL, 0};
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat");
	if (st.st_size == 0)
		return 0;
	v->data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (v->data == MAP_FAILED)
		return err_sys(e, "mmap");
	v->len = (size_t)st.st_size;
	return 0;
}

static void view_close(struct view *v)
{
	if (v->len > 0)
		(void)munmap(v->data, v->len);
}

/* The built-in validator. */
static int compare(struct trial *t, int answer_fd, enum grade_validator *said, struct err *e)
{
	char message[VALIDATOR_MESSAGE_MAX] = "";
	struct view answer;
	struct view output;
	int right;

	if (view_open(answer_fd, &answer, e) < 0)
		return -1;
	if (view_open(t->report.stdout_fd, &output, e) < 0) {
		view_close(&answer);
		return -1;
	}
	right = validator_compare(&t->test->flags, answer.data ? answer.data : "", answer.len,
				  output.data ? output.data : "", output.len, message);
	view_close(&output);
	view_close(&answer);
	*said = right ? GRADE_RIGHT : GRADE_WRONG;
	if (right)
		return 0;
	t->message = strdup(message);
	return t->message ? 0 : err_set(e, "out of memory");
}

static int ask_jury(const struct trial_cells *c, struct trial *t, int input_fd, int answer_fd,
		    enum grade_validator *said, struct err *e)
{
	AUTO_CLOSE int output = io_reopen(t->report.stdout_fd, e);
	struct jury_test test = {input_fd, answer_fd, output, (const char *const *)t->test->args};
	struct jury_outcome o;

	if (output < 0 ||
	    jury_validate(c->jury, c->config->problem, c->config->validator, &test, &o, e) < 0)
		return -1;
	*said = o.said;
	t->message = ptr_steal(&o.message);
	t->team_message = ptr_steal(&o.team_message);
	return 0;
}

static int validate(const struct trial_cells *c, struct trial *t, int input_fd,
		    uint64_t cpu_limit_us, struct err *e)
{
	enum grade_validator said = GRADE_NOT_RUN;

	if (grade_wants_validator(&t->report, cpu_limit_us)) {
		AUTO_CLOSE int answer = blob_cache_get(c->config->blobs, t->test->ans.hash, e);

		if (answer < 0)
			return -1;
		if ((c->config->validator ? ask_jury(c, t, input_fd, answer, &said, e)
					  : compare(t, answer, &said, e)) < 0)
			return -1;
	}
	t->grade = grade_test(&t->report, cpu_limit_us, said);
	if (!t->message && t->report.message[0])
		t->message = strdup(t->report.message);
	return 0;
}

/*
 * What was compiled may be no program: a library, say.  That is its author's fault, so it counts as a shell would count it, as
 * exit code 126 or 127.  An interpreter that cannot be started is ours, and so is a machine that lacks something.
 */
static void blame_exec(const struct language *l, struct sandbox_report *r)
{
	static const int theirs[] = {EACCES, ENOEXEC, ENOENT, EINVAL, ELIBBAD};

	if (r->status != RUN_SANDBOX_ERROR ||
	    strncmp(l->run.command[0], "/program/", strlen("/program/")) != 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(theirs); i++) {
		if (r->exec_errno != theirs[i])
			continue;
		r->status = RUN_EXITED;
		r->exit_code = r->exec_errno == ENOENT ? 127 : 126;
	}
}

static int run_program(const struct trial_cells *c, struct trial *t, int input_fd, struct err *e)
{
	const struct language *l = c->config->language;
	struct job_limits lim = job_limits_of(c->config->problem, l);
	const char **names = calloc(c->config->nsources + 1, sizeof(*names));
	char **argv = NULL;
	int rc = -1;

	if (!names)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < c->config->nsources; i++)
		names[i] = c->config->sources[i].name;
	argv = language_run_argv(l, names, c->config->nsources,
				 c->config->problem->limits.memory_bytes, e);
	struct sandbox_spec s = {
		.policy = l->run.policy,
		.argv = (const char *const *)argv,
		.env = (const char *const *)l->run.env,
		.cpu_time_us = lim.cpu_us,
		.wall_time_us = lim.wall_us,
		.memory_bytes = lim.memory_bytes,
		.output_bytes = lim.output_bytes,
		.box_bytes = lim.output_bytes,
		.processes = l->run.processes,
		.stdin_fd = input_fd,
	};
	if (argv)
		rc = sandbox_client_run(c->program, &s, &t->report, e);
	if (rc == 0)
		blame_exec(l, &t->report);
	language_argv_free(argv);
	free(names);
	return rc;
}

int trial_run(struct trial *t, const struct trial_cells *c, struct err *e)
{
	struct job_limits lim = job_limits_of(c->config->problem, c->config->language);
	AUTO_CLOSE int input = -1;

	t->report = (struct sandbox_report){.stdout_fd = -1, .stderr_fd = -1};
	input = blob_cache_get(c->config->blobs, t->test->in.hash, e);
	if (input < 0 || run_program(c, t, input, e) < 0)
		return -1;
	if (t->report.status == RUN_SANDBOX_ERROR)
		return err_set(e, "%s",
			       t->report.message[0] ? t->report.message : "the sandbox failed");
	return validate(c, t, input, lim.cpu_us, e);
}

static Judge__V1__Usage *usage_of(const struct trial *t)
{
	const struct sandbox_report *r = &t->report;
	Judge__V1__Usage *u = malloc(sizeof(*u));

	if (!u)
		return NULL;
	judge__v1__usage__init(u);
	u->cpu_time_us = r->cpu_time_us;
	u->user_time_us = r->user_time_us;
	u->system_time_us = r->system_time_us;
	u->wall_time_us = r->wall_time_us;
	u->memory_peak_bytes = r->memory_peak_bytes;
	u->output_bytes = r->output_bytes;
	u->processes_peak = r->processes_peak;
	u->exit_code = r->exit_code;
	u->signal = r->signal;
	u->syscall = text_copy(r->syscall);
	u->reason = text_copy(t->grade.reason);
	return u;
}

Judge__V1__Run *trial_result(const struct trial *t, size_t index)
{
	Judge__V1__Run *run = malloc(sizeof(*run));

	if (!run)
		return NULL;
	judge__v1__run__init(run);
	run->test = (uint32_t)index + 1;
	run->name = text_copy(t->test->name);
	run->verdict = t->grade.verdict;
	run->usage = usage_of(t);
	run->message = text_copy(t->message);
	run->team_message = text_copy(t->team_message);
	return run;
}

void trial_release(struct trial *t)
{
	sandbox_report_release(&t->report);
	free(t->message);
	free(t->team_message);
	t->message = t->team_message = NULL;
}
