#include "judge/inspect.h"

#include <stdarg.h>
#include <unistd.h>

#include "judge/grade.h"
#include "judge/jury.h"
#include "judge/language.h"
#include "judge/problem.h"
#include "judge/sandbox_client.h"
#include "judge/script.h"
#include "judge/text.h"
#include "judge/validator.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

/* Of a run of an input validator, where the package says nothing: the defaults of the format. */
#define TIME_US      60000000ULL
#define MEMORY_BYTES (2048ULL << 20)
#define OUTPUT_BYTES (8ULL << 20)
#define SAID_BYTES   160 /* of what it printed, in a finding */

#define VALID 42 /* the exit code */

/* One input validator at work. */
struct checker {
	const struct inspect_job *job;
	const struct problem_input_validator *v;
	const struct language *language;
	char **argv; /* without those of a test */
	struct sandbox_client *cell;
	struct inspect_found *found;
	unsigned char
		*rejected; /* of the package's checks: some validator did not take this input */
};

static int tell(struct inspect_found *f, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int tell(struct inspect_found *f, struct err *e, const char *fmt, ...)
{
	va_list ap;
	int len;

	if (f->n == INSPECT_FOUND_MAX) {
		f->more++;
		return 0;
	}
	if (!f->items)
		f->items = calloc(INSPECT_FOUND_MAX, sizeof(*f->items));
	if (!f->items)
		return err_set(e, "out of memory");
	va_start(ap, fmt);
	len = vasprintf(&f->items[f->n], fmt, ap);
	va_end(ap);
	if (len < 0)
		return err_set(e, "out of memory");
	f->n++;
	return 0;
}

void inspect_release(struct inspect_found *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->items[i]);
	free(f->items);
	*f = (struct inspect_found){NULL, 0, 0};
}

/* A file of the package as a sealed memfd. */
static int open_file(const struct problem *p, const struct problem_file *f, struct err *e)
{
	AUTO_FREE char *data = NULL;
	size_t len;

	if (problem_load(p, f, &data, &len, e) < 0)
		return -1;
	return io_memfd_of(data, len, e);
}

static void close_files(struct sandbox_file *files, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (files[i].fd >= 0)
			(void)close(files[i].fd);
	free(files);
}

/* The box that the validator begins in: what the test has in .files.  1: there is something in it. */
static int fill_box(struct checker *k, const struct problem_case *test, struct err *e)
{
	struct sandbox_file *files = calloc(test->nfiles + 1, sizeof(*files));
	size_t n = 0;
	int rc = 0;

	if (!files)
		return err_set(e, "out of memory");
	for (; rc == 0 && n < test->nfiles; n++) {
		files[n] = (struct sandbox_file){test->files[n].name, 0444,
						 open_file(k->job->package, &test->files[n], e)};
		rc = files[n].fd < 0 ? -1 : 0;
	}
	if (rc == 0 && n > 0)
		rc = sandbox_client_put(k->cell, files, n, 0, e);
	close_files(files, n);
	return rc < 0 ? -1 : n > 0;
}

static char **full_argv(const struct checker *k, const struct problem_case *test, struct err *e)
{
	char **args = problem_input_args(test, k->v->name);
	size_t n = 0, more = 0;
	char **argv;

	while (k->argv[n])
		n++;
	while (args && args[more])
		more++;
	argv = args ? calloc(n + more + 1, sizeof(*argv)) : NULL;
	for (size_t i = 0; argv && i < n; i++)
		argv[i] = strdup(k->argv[i]);
	for (size_t i = 0; argv && i < more; i++)
		argv[n + i] = args[i]; /* moved */
	if (!argv) {
		language_argv_free(args);
		err_set(e, "out of memory");
		return NULL;
	}
	free(args);
	return argv;
}

static int run(struct checker *k, const struct problem_case *test, char **argv, int input,
	       struct sandbox_report *r, struct err *e)
{
	const struct problem_limits *lim = &k->job->package->limits;
	const struct language *l = k->language;
	uint64_t time_us = lim->validation_time_us ? lim->validation_time_us : TIME_US;
	struct sandbox_spec s = {
		.policy = l->run.policy,
		.argv = (const char *const *)argv,
		.env = (const char *const *)l->run.env,
		.cpu_time_us = time_us,
		.wall_time_us = 2 * time_us + 1000000,
		.memory_bytes = (lim->validation_memory_bytes ? lim->validation_memory_bytes
							      : MEMORY_BYTES) +
				l->run.memory_extra_bytes,
		.output_bytes =
			lim->validation_output_bytes ? lim->validation_output_bytes : OUTPUT_BYTES,
		.box_bytes = OUTPUT_BYTES,
		.processes = l->run.processes,
		.stdin_fd = input,
		.merge_stderr = 1,
	};

	s.same_box = fill_box(k, test, e);
	return s.same_box < 0 ? -1 : sandbox_client_run(k->cell, &s, r, e);
}

static void how_it_ended(const struct sandbox_report *r, char *out, size_t size)
{
	if (r->status == RUN_EXITED)
		snprintf(out, size, "exit code %d, expected %d", r->exit_code, VALID);
	else if (r->status == RUN_SIGNALED)
		snprintf(out, size, "ended by signal %d", r->signal);
	else if (r->status == RUN_FORBIDDEN_SYSCALL)
		snprintf(out, size, "stopped for the system call %s", r->syscall);
	else
		snprintf(out, size, "over its %s limit",
			 grade_test(r, UINT64_MAX, GRADE_NOT_RUN).reason);
}

static int refused(struct checker *k, const struct problem_case *test,
		   const struct sandbox_report *r, struct err *e)
{
	AUTO_FREE char *said = NULL;
	char how[128];

	if (r->status == RUN_SANDBOX_ERROR)
		return err_set(e, "%s", r->message);
	how_it_ended(r, how, sizeof(how));
	if (text_clean_fd(r->stdout_fd, SAID_BYTES, &said, e) < 0)
		return -1;
	return tell(k->found, e, "data/%s.in: %s: %s%s%.*s", test->name, k->v->name, how,
		    said[0] ? ": " : "", (int)strcspn(said, "\n"), said);
}

/* 1: it takes the input; 0: it does not, which is a finding unless it is to be so. */
static int check_input(struct checker *k, const struct problem_case *test, int is_invalid,
		       struct err *e)
{
	AUTO_CLOSE int input = open_file(k->job->package, &test->in, e);
	char **argv = input < 0 ? NULL : full_argv(k, test, e);
	struct sandbox_report r;
	int rc = -1, valid = 0;

	if (argv && run(k, test, argv, input, &r, e) == 0) {
		valid = r.status == RUN_EXITED && r.exit_code == VALID;
		rc = valid || is_invalid ? 0 : refused(k, test, &r, e);
		sandbox_report_release(&r);
	}
	language_argv_free(argv);
	return rc < 0 ? -1 : valid;
}

static int is_invalid_input(const struct problem_case *c)
{
	return strncmp(c->name, "invalid_input/", strlen("invalid_input/")) == 0;
}

static int check_inputs(struct checker *k, struct err *e)
{
	const struct problem *p = k->job->package;

	for (size_t i = 0; i < p->ncases; i++)
		if (check_input(k, &p->cases[i], 0, e) < 0)
			return -1;
	for (size_t i = 0; i < p->nchecks; i++) {
		int valid = check_input(k, &p->checks[i], is_invalid_input(&p->checks[i]), e);

		if (valid < 0)
			return -1;
		k->rejected[i] |= !valid;
	}
	return 0;
}

/* Makes the built validator the cell's program. */
static int load(struct checker *k, const struct problem_built *built, struct err *e)
{
	const struct jury_builder *b = k->job->tools;
	const struct problem_program *program = &k->v->program;
	const char **names = calloc(program->nsources + 1, sizeof(*names));

	if (!names)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < program->nsources; i++)
		names[i] = program->sources[i].name;
	k->language = script_or_rule(b->languages, built->language);
	k->argv = k->language ? language_run_argv(k->language, names, program->nsources,
						  MEMORY_BYTES, e)
			      : NULL;
	free(names);
	k->cell = k->argv ? sandbox_client_open(b->socket, b->timeout_ms, e) : NULL;
	if (!k->cell || sandbox_client_put(k->cell, built->files, built->nfiles, 0, e) < 0)
		return -1;
	return sandbox_client_keep(k->cell, NULL, e);
}

static int run_validator(struct checker *k, struct err *e)
{
	struct problem_built built = {0};
	struct err why = {0};
	int rc;

	if (jury_build((void *)k->job->tools, k->job->package, &k->v->program, &built, &why) < 0)
		return tell(k->found, e, "input_validators/%s: %s", k->v->name, why.msg);
	rc = load(k, &built, e);
	if (rc == 0)
		rc = check_inputs(k, e);
	language_argv_free(k->argv);
	sandbox_client_close(k->cell);
	free(built.language);
	sandbox_files_free(built.files, built.nfiles);
	return rc < 0 ? err_wrap(e, "input_validators/%.80s", k->v->name) : 0;
}

static int inspect_inputs(const struct inspect_job *job, struct inspect_found *out, struct err *e)
{
	const struct problem *p = job->package;
	unsigned char *rejected = calloc(p->nchecks + 1, 1);
	size_t used = 0;
	int rc = 0;

	if (!rejected)
		return err_set(e, "out of memory");
	for (size_t i = 0; rc == 0 && i < p->ninput_validators; i++) {
		struct checker k = {.job = job,
				    .v = &p->input_validators[i],
				    .found = out,
				    .rejected = rejected};

		if (k.v->program.nsources == 0)
			continue;
		used++;
		rc = run_validator(&k, e);
	}
	for (size_t i = 0; rc == 0 && used > 0 && i < p->nchecks; i++)
		if (is_invalid_input(&p->checks[i]) && !rejected[i])
			rc = tell(out, e, "data/%s.in: every input validator takes it",
				  p->checks[i].name);
	free(rejected);
	return rc;
}

/* 1: the output validator takes the output; 0: it does not; -1 also when it is broken. */
static int ask_builtin(const struct inspect_job *job, const struct problem_case *c, struct err *e)
{
	AUTO_FREE char *answer = NULL;
	AUTO_FREE char *output = NULL;
	char message[VALIDATOR_MESSAGE_MAX];
	size_t answer_len, output_len;

	if (problem_load(job->package, &c->ans, &answer, &answer_len, e) < 0 ||
	    problem_load(job->package, &c->out, &output, &output_len, e) < 0)
		return -1;
	return validator_compare(&c->flags, answer, answer_len, output, output_len, message);
}

static int ask_own(const struct inspect_job *job, struct sandbox_client *cell,
		   const struct problem_case *c, struct inspect_found *out, struct err *e)
{
	AUTO_CLOSE int input = open_file(job->package, &c->in, e);
	AUTO_CLOSE int answer = input < 0 ? -1 : open_file(job->package, &c->ans, e);
	AUTO_CLOSE int output = answer < 0 ? -1 : open_file(job->package, &c->out, e);
	struct jury_test test = {.input_fd = input,
				 .answer_fd = answer,
				 .output_fd = output,
				 .args = (const char *const *)c->args};
	struct jury_outcome o;
	int valid, rc = 0;

	if (output < 0 || jury_validate(cell, job->stored, job->validator, &test, &o, e) < 0)
		return -1;
	valid = o.said == GRADE_RIGHT;
	if (o.said == GRADE_BROKEN)
		rc = tell(out, e, "data/%s.out: %.*s", c->name,
			  (int)strcspn(o.message ? o.message : "", "\n"), o.message);
	jury_outcome_release(&o);
	return rc < 0 ? -1 : valid;
}

static int check_outputs(const struct inspect_job *job, struct sandbox_client *cell,
			 struct inspect_found *out, struct err *e)
{
	for (size_t i = 0; i < job->package->nchecks; i++) {
		const struct problem_case *c = &job->package->checks[i];
		int wanted = c->name[0] == 'v', valid;

		if (is_invalid_input(c))
			continue;
		valid = cell ? ask_own(job, cell, c, out, e) : ask_builtin(job, c, e);
		if (valid < 0)
			return -1;
		if (valid != wanted && tell(out, e, "data/%s.out: the output validator %s it",
					    c->name, valid ? "takes" : "does not take") < 0)
			return -1;
	}
	return 0;
}

static int has_outputs(const struct problem *p)
{
	for (size_t i = 0; i < p->nchecks; i++)
		if (!is_invalid_input(&p->checks[i]))
			return 1;
	return 0;
}

static int inspect_outputs(const struct inspect_job *job, struct inspect_found *out, struct err *e)
{
	const struct jury_builder *b = job->tools;
	struct sandbox_client *cell = NULL;
	int rc;

	if (!has_outputs(job->package))
		return 0;
	if (job->package->kind & (PROBLEM_INTERACTIVE | PROBLEM_MULTI_PASS))
		return tell(out, e,
			    "data: valid_output and invalid_output are for problems of one "
			    "pass that are not interactive");
	if (job->validator) {
		cell = sandbox_client_open(b->socket, b->timeout_ms, e);
		if (!cell || jury_load(cell, &job->stored->validator, job->blobs, e) < 0) {
			sandbox_client_close(cell);
			return -1;
		}
	}
	rc = check_outputs(job, cell, out, e);
	sandbox_client_close(cell);
	return rc;
}

int inspect_package(const struct inspect_job *job, struct inspect_found *out, struct err *e)
{
	*out = (struct inspect_found){NULL, 0, 0};
	if (inspect_inputs(job, out, e) == 0 && inspect_outputs(job, out, e) == 0)
		return 0;
	inspect_release(out);
	return -1;
}
