#include "judge/trial.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "judge/answers.h"
#include "judge/blob_cache.h"
#include "judge/compile.h"
#include "judge/entry.h"
#include "judge/game.h"
#include "judge/job.h"
#include "judge/jury.h"
#include "judge/language.h"
#include "judge/problem.h"
#include "judge/script.h"
#include "judge/supply.h"
#include "judge/tally.h"
#include "judge/text.h"
#include "judge/transcript.h"
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

/* One run of the program, and all that it goes by. */
struct pass {
	const struct trial_cells *cells;
	struct trial *trial;
	int input, answer; /* input: what the program gets, the test's own one in the first pass */
	int test_input;    /* what the validator gets, in every pass */
	struct feedback feedback;      /* of the pass before */
	struct transcript *transcript; /* NULL: none is kept */
	struct job_limits limits;
	enum grade_validator said;
	int said_first; /* before the program had ended */
	int next;       /* input of the next pass; -1: this was the last one */
};

/* The built-in validator. */
static int compare(struct pass *s, struct err *e)
{
	char message[VALIDATOR_MESSAGE_MAX] = "";
	struct trial *t = s->trial;
	struct view answer;
	struct view output;
	int right;

	if (view_open(s->answer, &answer, e) < 0)
		return -1;
	if (view_open(t->report.stdout_fd, &output, e) < 0) {
		view_close(&answer);
		return -1;
	}
	right = validator_compare(&t->test->flags, answer.data ? answer.data : "", answer.len,
				  output.data ? output.data : "", output.len, message);
	view_close(&output);
	view_close(&answer);
	s->said = right ? GRADE_RIGHT : GRADE_WRONG;
	if (right)
		return 0;
	t->message = strdup(message);
	return t->message ? 0 : err_set(e, "out of memory");
}

static void forget_messages(struct trial *t)
{
	free(t->message);
	free(t->team_message);
	t->message = t->team_message = NULL;
}

/* Of several validators the last one that says something. */
static void take_text(char **to, char **from)
{
	if (!*from)
		return;
	free(*to);
	*to = ptr_steal(from);
}

static void take_outcome(struct pass *s, struct jury_outcome *o)
{
	struct trial *t = s->trial;

	s->said = o->said;
	s->next = fd_steal(&o->next_fd);
	t->message = ptr_steal(&o->message);
	t->team_message = ptr_steal(&o->team_message);
	take_text(&t->score, &o->score);
	take_text(&t->multiplier, &o->multiplier);
	feedback_release(&s->feedback);
	s->feedback = o->feedback;
	o->feedback = (struct feedback){.n = 0};
	jury_outcome_release(o);
}

static struct jury_test test_of(const struct pass *s, int output)
{
	return (struct jury_test){
		.input_fd = s->test_input,
		.answer_fd = s->answer,
		.output_fd = output,
		.args = (const char *const *)s->trial->test->args,
		.feedback = s->trial->passes > 1 ? &s->feedback : NULL,
	};
}

static int ask_about(struct pass *s, int output_fd, const struct problem_program *program,
		     const struct language *l, struct err *e)
{
	AUTO_CLOSE int output = io_reopen(output_fd, e);
	struct jury_test test = test_of(s, output);
	struct jury_outcome o;

	test.program = program;
	if (output < 0 ||
	    jury_validate(s->cells->jury, s->cells->config->problem, l, &test, &o, e) < 0)
		return -1;
	take_outcome(s, &o);
	return 0;
}

static int ask_one(struct pass *s, const struct problem_program *program, const struct language *l,
		   struct err *e)
{
	return ask_about(s, s->trial->report.stdout_fd, program, l, e);
}

static const struct language *language_of(const struct job_config *c,
					  const struct problem_program *program, struct err *e)
{
	const struct language *l = script_or_rule(c->languages, program->language);

	if (l && l->available)
		return l;
	err_set(e, "validator: its language %s is not available here", program->language);
	return NULL;
}

/* The others take turns in the cell, which then has the first again: it is the only one of most problems. */
static int ask_others(struct pass *s, struct err *e)
{
	const struct job_config *c = s->cells->config;
	const struct problem *p = c->problem;

	for (size_t i = 0; i < p->nalso && s->said == GRADE_RIGHT; i++) {
		const struct language *l = language_of(c, &p->also[i], e);

		if (!l)
			return -1;
		forget_messages(s->trial);
		if (jury_load(s->cells->jury, &p->also[i], c->blobs, e) < 0 ||
		    ask_one(s, &p->also[i], l, e) < 0)
			return -1;
	}
	return jury_load(s->cells->jury, &p->validator, c->blobs, e);
}

static int ask_jury(struct pass *s, struct err *e)
{
	const struct job_config *c = s->cells->config;

	if (ask_one(s, &c->problem->validator, c->validator, e) < 0)
		return -1;
	return s->said == GRADE_RIGHT && c->problem->nalso > 0 ? ask_others(s, e) : 0;
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

static int check_sandbox(const struct sandbox_report *r, struct err *e)
{
	if (r->status != RUN_SANDBOX_ERROR)
		return 0;
	return err_set(e, "%s", r->message[0] ? r->message : "the sandbox failed");
}

/* Looks at what was written, where that can still change the verdict. */
static int validate(struct pass *s, struct err *e)
{
	if (!grade_wants_validator(&s->trial->report, s->limits.cpu_us))
		return 0;
	return s->cells->config->validator ? ask_jury(s, e) : compare(s, e);
}

/* The program alone. */
static int run_alone(struct pass *s, struct sandbox_spec *spec, struct err *e)
{
	struct trial *t = s->trial;

	spec->stdin_fd = s->input;
	if (sandbox_client_run(s->cells->program, spec, &t->report, e) < 0)
		return -1;
	blame_exec(s->cells->config->language, &t->report);
	return check_sandbox(&t->report, e) < 0 ? -1 : validate(s, e);
}

/* What was handed in takes the place of what a program would have written.  Nothing for this test is wrong, whatever is right. */
static int take_answer(struct pass *s, struct err *e)
{
	const struct job_config *c = s->cells->config;
	struct trial *t = s->trial;
	const struct compile_source *file = answers_find(
		c->problem, (size_t)(t->test - c->problem->cases), c->sources, c->nsources);

	t->report.status = RUN_EXITED;
	if (!file) {
		s->said = GRADE_WRONG;
		t->message = strdup("no file was handed in for this test");
		return t->message ? 0 : err_set(e, "out of memory");
	}
	t->report.output_bytes = file->len;
	if (file->len > s->limits.output_bytes)
		t->report.status = RUN_OUTPUT_LIMIT;
	t->report.stdout_fd = io_memfd_of(file->data, file->len, e);
	return t->report.stdout_fd < 0 ? -1 : validate(s, e);
}

/* What the interactor wrote down is for the validator to look at, where that can still change the verdict. */
static int ask_about_game(struct pass *s, int output, struct err *e)
{
	const struct job_config *c = s->cells->config;
	AUTO_CLOSE int nothing = -1;

	if (s->said != GRADE_RIGHT || !grade_wants_validator(&s->trial->report, s->limits.cpu_us))
		return 0;
	if (output < 0) {
		nothing = io_memfd_of("", 0, e);
		if (nothing < 0)
			return -1;
	}
	forget_messages(s->trial);
	if (jury_load(s->cells->jury, &c->problem->validator, c->blobs, e) < 0)
		return -1;
	return ask_about(s, output < 0 ? nothing : output, &c->problem->validator, c->validator, e);
}

/* Who talks with the program: the validator, which the cell has, or a program of its own, which takes turns with it. */
static int call_interactor(struct pass *s, struct jury_test *test, const struct language **l,
			   struct err *e)
{
	const struct job_config *c = s->cells->config;
	const struct problem_program *own = &c->problem->interactor;

	*l = c->validator;
	if (own->nsources == 0)
		return 0;
	test->program = own;
	*l = language_of(c, own, e);
	return *l ? jury_load(s->cells->jury, own, c->blobs, e) : -1;
}

static int run_with_interactor(struct pass *s, struct sandbox_spec *spec, struct err *e)
{
	const struct job_config *c = s->cells->config;
	struct jury_test test = test_of(s, -1);
	struct game g = {
		.program = s->cells->program, .program_spec = spec, .transcript = s->transcript};
	const struct language *l;
	struct jury_outcome o;
	int rc;

	if (call_interactor(s, &test, &l, e) < 0)
		return -1;
	if (s->transcript && s->trial->passes > 1)
		transcript_pass(s->transcript);
	rc = jury_interact(s->cells->jury, c->problem, l, &test, &g, &o, e);
	s->trial->report = g.program_report;
	if (rc < 0)
		return -1;
	AUTO_CLOSE int output = fd_steal(&o.output_fd);

	take_outcome(s, &o);
	s->said_first = g.interactor_first;
	blame_exec(c->language, &s->trial->report);
	if (check_sandbox(&s->trial->report, e) < 0)
		return -1;
	return test.program ? ask_about_game(s, output, e) : 0;
}

static int run_spec(struct pass *s, char **argv, struct err *e)
{
	const struct job_config *c = s->cells->config;
	const struct language *l = c->language;
	struct sandbox_spec spec = {
		.policy = l->run.policy,
		.argv = (const char *const *)argv,
		.env = (const char *const *)l->run.env,
		.cpu_time_us = s->limits.cpu_us,
		.wall_time_us = s->limits.wall_us,
		.memory_bytes = s->limits.memory_bytes,
		.output_bytes = s->limits.output_bytes,
		.box_bytes = s->limits.output_bytes,
		.processes = l->run.processes,
	};

	spec.same_box = supply_box(s->cells->program, c->problem, l, s->trial->test, c->blobs, e);
	if (spec.same_box < 0)
		return -1;
	return c->problem->kind & PROBLEM_INTERACTIVE ? run_with_interactor(s, &spec, e)
						      : run_alone(s, &spec, e);
}

/* The test's own arguments behind the program's; takes argv, NULL stays NULL. */
static char **add_args(char **argv, char *const *args, struct err *e)
{
	size_t n = 0;

	while (argv && argv[n])
		n++;
	for (; argv && args && *args; args++) {
		char **grown = reallocarray(argv, n + 2, sizeof(*grown));
		char *arg = grown ? strdup(*args) : NULL;

		if (!arg) {
			language_argv_free(grown ? grown : argv);
			err_set(e, "out of memory");
			return NULL;
		}
		argv = grown;
		argv[n++] = arg;
		argv[n] = NULL;
	}
	return argv;
}

static int run_program(struct pass *s, struct err *e)
{
	const struct job_config *c = s->cells->config;
	struct entry entry;
	char **argv;
	int rc = -1;

	if (c->problem->kind & PROBLEM_SUBMIT_ANSWER)
		return take_answer(s, e);
	if (entry_find(c->language, c->sources, c->nsources, &entry, e) < 0)
		return -1;
	argv = language_run_argv_at(c->language, &entry, c->problem->limits.memory_bytes, e);
	argv = add_args(argv, s->trial->test->run_args, e);
	if (argv)
		rc = run_spec(s, argv, e);
	language_argv_free(argv);
	entry_release(&entry);
	return rc;
}

static void take_worst(struct sandbox_report *w, const struct sandbox_report *r)
{
#define WORSE(field) w->field = r->field > w->field ? r->field : w->field
	WORSE(cpu_time_us);
	WORSE(user_time_us);
	WORSE(system_time_us);
	WORSE(wall_time_us);
	WORSE(memory_peak_bytes);
	WORSE(output_bytes);
	WORSE(processes_peak);
#undef WORSE
}

static void forget_pass(struct trial *t)
{
	sandbox_report_release(&t->report);
	forget_messages(t);
	free(t->score);
	free(t->multiplier);
	t->score = t->multiplier = NULL;
}

static int play_pass(struct pass *s, struct err *e)
{
	struct trial *t = s->trial;

	forget_pass(t);
	t->passes++;
	s->said = GRADE_NOT_RUN;
	s->said_first = 0;
	if (run_program(s, e) < 0)
		return -1;
	take_worst(&t->worst, &t->report);
	t->said = s->said;
	t->grade = grade_game(&t->report, s->limits.cpu_us, s->said, s->said_first);
	if (t->message || !t->report.message[0])
		return 0;
	t->message = strdup(t->report.message);
	return t->message ? 0 : err_set(e, "out of memory");
}

/* The validator asks for more passes than it may. */
static int blame_passes(struct trial *t, struct err *e)
{
	AUTO_FREE char *said = ptr_steal(&t->message);

	t->grade = (struct grade){JUDGE__V1__VERDICT__JUDGE_ERROR, ""};
	if (asprintf(&t->message,
		     "validator: asked for pass %u, limits.validation_passes is %u\n%s",
		     t->passes + 1, t->passes, said ? said : "") >= 0)
		return 0;
	t->message = NULL;
	return err_set(e, "out of memory");
}

/* What the program read before is not needed any more; a next pass that was asked for and will not be, neither. */
static void move_on(struct pass *s, int again)
{
	(void)close(s->input);
	s->input = again ? fd_steal(&s->next) : -1;
	if (s->next >= 0)
		(void)close(fd_steal(&s->next));
}

static int play_passes(struct pass *s, struct err *e)
{
	const struct problem *p = s->cells->config->problem;
	struct trial *t = s->trial;
	int again;

	do {
		int rc = play_pass(s, e);
		int asked =
			rc == 0 && s->next >= 0 && t->grade.verdict == JUDGE__V1__VERDICT__ACCEPTED;

		again = asked && t->passes < p->limits.validation_passes;
		move_on(s, again);
		if (rc < 0)
			return -1;
		if (asked && !again)
			return blame_passes(t, e);
	} while (again);
	return 0;
}

int trial_run(struct trial *t, const struct trial_cells *c, struct err *e)
{
	const struct job_config *j = c->config;
	struct pass s = {
		.cells = c, .trial = t, .input = -1, .answer = -1, .test_input = -1, .next = -1};
	AUTO_CLOSE int input = blob_cache_get(j->blobs, t->test->in.hash, e);
	AUTO_CLOSE int answer = input < 0 ? -1 : blob_cache_get(j->blobs, t->test->ans.hash, e);
	struct transcript transcript = {.text = NULL};
	int rc;

	t->report = t->worst = (struct sandbox_report){.stdout_fd = -1, .stderr_fd = -1};
	t->passes = 0;
	if (answer < 0)
		return -1;
	if (j->transcript_bytes && j->problem->kind & PROBLEM_INTERACTIVE) {
		if (transcript_init(&transcript, j->transcript_bytes, e) < 0)
			return -1;
		s.transcript = &transcript;
	}
	s.limits = job_limits_of(j->problem, j->language);
	s.test_input = input;
	s.answer = answer;
	s.input = io_reopen(input, e);
	rc = s.input < 0 ? -1 : play_passes(&s, e);
	if (rc == 0 && s.transcript)
		t->transcript = transcript_text(s.transcript);
	transcript_release(&transcript);
	feedback_release(&s.feedback);
	return rc;
}

static Judge__V1__Usage *usage_of(const struct trial *t)
{
	const struct sandbox_report *r = &t->report;
	const struct sandbox_report *w = &t->worst;
	Judge__V1__Usage *u = malloc(sizeof(*u));

	if (!u)
		return NULL;
	judge__v1__usage__init(u);
	u->cpu_time_us = w->cpu_time_us;
	u->user_time_us = w->user_time_us;
	u->system_time_us = w->system_time_us;
	u->wall_time_us = w->wall_time_us;
	u->memory_peak_bytes = w->memory_peak_bytes;
	u->output_bytes = w->output_bytes;
	u->processes_peak = w->processes_peak;
	u->exit_code = r->exit_code;
	u->signal = r->signal;
	u->syscall = text_copy(r->syscall);
	u->reason = text_copy(t->grade.reason);
	return u;
}

Judge__V1__Run *trial_result(const struct trial *t, size_t index, const char *group)
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
	run->passes = t->passes;
	run->transcript = text_copy(t->transcript);
	run->group = text_copy(group);
	run->score = text_copy(NULL);
	return run;
}

static int set_text(char **to, const char *text, struct err *e)
{
	char *copy = text_copy(text);

	if (!copy)
		return err_set(e, "out of memory");
	free(*to);
	*to = copy;
	return 0;
}

int trial_rate(Judge__V1__Run *run, const struct tally_result *r, struct err *e)
{
	char score[SCORE_TEXT_MAX];

	if (r->verdict == JUDGE__V1__VERDICT__JUDGE_ERROR &&
	    run->verdict != JUDGE__V1__VERDICT__JUDGE_ERROR) {
		run->verdict = JUDGE__V1__VERDICT__JUDGE_ERROR;
		return set_text(&run->message, r->message, e);
	}
	if (!r->has_score)
		return 0;
	score_format(r->score, score);
	return set_text(&run->score, score, e);
}

void trial_release(struct trial *t)
{
	forget_pass(t);
	free(t->transcript);
	t->transcript = NULL;
}
