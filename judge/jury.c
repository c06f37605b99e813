#include "judge/jury.h"

#include <errno.h>

#include "judge/blob_cache.h"
#include "judge/compile.h"
#include "judge/language.h"
#include "judge/problem.h"
#include "judge/sandbox_client.h"
#include "judge/text.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

/* Where a package says nothing: the defaults of the format. */
#define VALIDATION_TIME_US      60000000ULL
#define VALIDATION_MEMORY_BYTES (2048ULL << 20)
#define VALIDATION_OUTPUT_BYTES (8ULL << 20)

#define BOX_BYTES      (16ULL << 20)
#define FEEDBACK_BYTES 65536 /* taken out of the box, all messages together */
#define STDERR_BYTES   1024  /* of it in the message about a broken validator */

static uint64_t memory_limit(const struct problem *p)
{
	return p->limits.validation_memory_bytes ? p->limits.validation_memory_bytes
						 : VALIDATION_MEMORY_BYTES;
}

static void free_sources(struct compile_source *sources, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((void *)sources[i].data);
	free(sources);
}

static struct compile_source *load_sources(const struct problem *p,
					   const struct problem_program *program, struct err *e)
{
	size_t n = program->nsources;
	struct compile_source *sources = calloc(n + 1, sizeof(*sources));

	if (!sources) {
		err_set(e, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		char *data;

		if (problem_load(p, &program->sources[i], &data, &sources[i].len, e) < 0) {
			free_sources(sources, i);
			return NULL;
		}
		sources[i].data = data;
		sources[i].name = program->sources[i].name;
	}
	return sources;
}

static const char **source_names(const struct problem_program *program, struct err *e)
{
	const char **names = calloc(program->nsources + 1, sizeof(*names));

	if (!names)
		err_set(e, "out of memory");
	for (size_t i = 0; names && i < program->nsources; i++)
		names[i] = program->sources[i].name;
	return names;
}

static const struct language *find_language(const struct languages *all,
					    const struct problem_program *program, struct err *e)
{
	const struct language *l;
	const char **names = source_names(program, e);

	if (!names)
		return NULL;
	l = languages_by_files(all, names, program->nsources, 1, e);
	free(names);
	return l;
}

/* The first line of what the compiler said is enough to name the package's fault. */
static int refuse_build(const struct compile_result *r, struct err *e)
{
	return err_set(e, "does not compile: %.*s",
		       (int)(strcspn(r->output, "\n") < 180 ? strcspn(r->output, "\n") : 180),
		       r->output);
}

static int build_in(struct sandbox_client *c, const struct compile_job *job,
		    struct problem_built *out, struct err *e)
{
	struct compile_result r = {.output = NULL};
	int rc = compile_artifacts(c, job, &r, e);

	if (rc == 0 && r.status == COMPILE_FAILED)
		rc = refuse_build(&r, e);
	if (rc == 0) {
		out->language = strdup(job->language->name);
		if (!out->language)
			rc = err_set(e, "out of memory");
	}
	if (rc == 0) {
		out->files = ptr_steal(&r.files);
		out->nfiles = r.nfiles;
		r.nfiles = 0;
	}
	compile_result_release(&r);
	return rc;
}

int jury_build(void *arg, const struct problem *p, const struct problem_program *program,
	       struct problem_built *out, struct err *e)
{
	const struct jury_builder *b = arg;
	struct compile_job job = {.language = find_language(b->languages, program, e),
				  .nsources = program->nsources,
				  .program_memory_bytes = memory_limit(p)};
	struct compile_source *sources;
	struct sandbox_client *c;
	int rc;

	if (!job.language)
		return -1;
	sources = load_sources(p, program, e);
	if (!sources)
		return -1;
	job.sources = sources;
	c = sandbox_client_open(b->socket, b->timeout_ms, e);
	rc = c ? build_in(c, &job, out, e) : -1;
	sandbox_client_close(c);
	free_sources(sources, job.nsources);
	return rc;
}

int jury_load(struct sandbox_client *c, const struct problem_program *program,
	      struct blob_cache *blobs, struct err *e)
{
	size_t n = 0;
	struct sandbox_file *files = calloc(program->nartifacts + 1, sizeof(*files));
	int rc = 0;

	if (!files)
		return err_set(e, "out of memory");
	for (; rc == 0 && n < program->nartifacts; n++) {
		const struct problem_file *a = &program->artifacts[n];

		files[n] =
			(struct sandbox_file){a->name, a->mode, blob_cache_get(blobs, a->hash, e)};
		if (files[n].fd < 0)
			rc = -1;
	}
	if (rc == 0)
		rc = sandbox_client_put(c, files, n, 0, e);
	if (rc == 0)
		rc = sandbox_client_keep(c, NULL, e);
	for (size_t i = 0; i < n; i++)
		if (files[i].fd >= 0)
			(void)close(files[i].fd);
	free(files);
	return rc < 0 ? err_wrap(e, "validator") : 0;
}

static size_t count(const void *list)
{
	const char *const *at = list;
	size_t n = 0;

	while (at && at[n])
		n++;
	return n;
}

/* The program's own command, then what the format adds.  The strings are borrowed from both. */
static const char **full_command(char **program, const char *const *args, struct err *e)
{
	static const char *const fixed[] = {"/dev/fd/3", "/dev/fd/4", "feedback/"};
	size_t np = count(program);
	size_t na = count(args);
	const char **argv = calloc(np + ARRAY_LEN(fixed) + na + 1, sizeof(*argv));

	if (!argv) {
		err_set(e, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < np; i++)
		argv[i] = program[i];
	memcpy(argv + np, fixed, sizeof(fixed));
	for (size_t i = 0; i < na; i++)
		argv[np + ARRAY_LEN(fixed) + i] = args[i];
	return argv;
}

static int run_validator(struct sandbox_client *c, const struct problem *p,
			 const struct language *l, const struct jury_test *t,
			 struct sandbox_report *r, const char **argv, struct err *e)
{
	const struct problem_limits *lim = &p->limits;
	uint64_t time_us = lim->validation_time_us ? lim->validation_time_us : VALIDATION_TIME_US;
	const int extra[] = {t->input_fd, t->answer_fd};
	struct sandbox_spec s = {
		.policy = l->run.policy,
		.argv = argv,
		.env = (const char *const *)l->run.env,
		.cpu_time_us = time_us,
		.wall_time_us = 2 * time_us + 1000000,
		.memory_bytes = memory_limit(p) + l->run.memory_extra_bytes,
		.output_bytes = lim->validation_output_bytes ? lim->validation_output_bytes
							     : VALIDATION_OUTPUT_BYTES,
		.box_bytes = BOX_BYTES,
		.processes = l->run.processes,
		.stdin_fd = t->output_fd,
		.extra_fds = extra,
		.nextra_fds = ARRAY_LEN(extra),
		.same_box = 1, /* the one with feedback/ */
	};

	return sandbox_client_run(c, &s, r, e);
}

static int run_in_fresh_box(struct sandbox_client *c, const struct problem *p,
			    const struct language *l, const struct jury_test *t,
			    struct sandbox_report *r, struct err *e)
{
	static char feedback[] = "feedback/";
	const struct sandbox_file folder = {feedback, 0755, -1};
	const char **names = source_names(&p->validator, e);
	char **program;
	const char **argv;
	int rc = -1;

	if (!names)
		return -1;
	program = language_run_argv(l, names, p->validator.nsources, memory_limit(p), e);
	argv = program ? full_command(program, t->args, e) : NULL;
	if (argv && sandbox_client_put(c, &folder, 1, 0, e) == 0)
		rc = run_validator(c, p, l, t, r, argv, e);
	free(argv);
	language_argv_free(program);
	free(names);
	return rc;
}

static int take_message(const struct sandbox_file *f, struct jury_outcome *out, struct err *e)
{
	char **to = strcmp(f->name, "feedback/judgemessage.txt") == 0  ? &out->message
		    : strcmp(f->name, "feedback/teammessage.txt") == 0 ? &out->team_message
								       : NULL;

	if (!to || *to)
		return 0;
	return text_clean_fd(f->fd, JURY_MESSAGE_MAX, to, e);
}

/* A validator need not write any; one that floods the folder loses them. */
static int fetch_messages(struct sandbox_client *c, struct jury_outcome *out, struct err *e)
{
	static const char *const paths[] = {"feedback/*message.txt", NULL};
	struct sandbox_file *files = NULL;
	size_t n = 0;
	int rc = 0;

	if (sandbox_client_fetch(c, paths, FEEDBACK_BYTES, &files, &n, e) < 0)
		return sandbox_client_lost(c) ? -1 : 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = take_message(&files[i], out, e);
	sandbox_files_free(files, n);
	return rc;
}

static void how_it_ended(const struct sandbox_report *r, char *out, size_t size)
{
	switch (r->status) {
	case RUN_EXITED:
		snprintf(out, size, "exit code %d, neither 42 nor 43", r->exit_code);
		break;
	case RUN_SIGNALED:
		snprintf(out, size, "ended by signal %d", r->signal);
		break;
	case RUN_FORBIDDEN_SYSCALL:
		snprintf(out, size, "stopped for the system call %s", r->syscall);
		break;
	default:
		snprintf(out, size, "over its %s limit",
			 grade_test(r, UINT64_MAX, GRADE_NOT_RUN).reason);
	}
}

/* Says why it is broken, in front of what the validator itself had to say. */
static int explain(const struct sandbox_report *r, struct jury_outcome *out, struct err *e)
{
	AUTO_FREE char *said = ptr_steal(&out->message);
	AUTO_FREE char *printed = NULL;
	char how[128];

	how_it_ended(r, how, sizeof(how));
	if (r->stderr_fd >= 0 && text_clean_fd(r->stderr_fd, STDERR_BYTES, &printed, e) < 0)
		return -1;
	if (asprintf(&out->message, "validator: %s\n%s%s", how, said ? said : "",
		     printed ? printed : "") >= 0)
		return 0;
	out->message = NULL;
	return err_set(e, "out of memory");
}

int jury_validate(struct sandbox_client *c, const struct problem *p, const struct language *l,
		  const struct jury_test *t, struct jury_outcome *out, struct err *e)
{
	struct sandbox_report r;
	int rc;

	*out = (struct jury_outcome){.said = GRADE_BROKEN};
	if (run_in_fresh_box(c, p, l, t, &r, e) < 0)
		return err_wrap(e, "validator");
	if (r.status == RUN_SANDBOX_ERROR) {
		rc = err_set(e, "validator: %s", r.message);
	} else {
		out->said = grade_icpc_exit(&r);
		rc = fetch_messages(c, out, e);
		if (rc == 0 && out->said == GRADE_BROKEN)
			rc = explain(&r, out, e);
	}
	sandbox_report_release(&r);
	if (rc < 0)
		jury_outcome_release(out);
	return rc;
}

void jury_outcome_release(struct jury_outcome *o)
{
	free(o->message);
	free(o->team_message);
	o->message = o->team_message = NULL;
}
