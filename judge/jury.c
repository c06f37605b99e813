#include "judge/jury.h"

#include <errno.h>

#include "judge/blob_cache.h"
#include "judge/compile.h"
#include "judge/game.h"
#include "judge/language.h"
#include "judge/problem.h"
#include "judge/protocol.h"
#include "judge/sandbox_client.h"
#include "judge/script.h"
#include "judge/text.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

/* Where a package says nothing: the defaults of the format. */
#define VALIDATION_TIME_US      60000000ULL
#define VALIDATION_MEMORY_BYTES (2048ULL << 20)
#define VALIDATION_OUTPUT_BYTES (8ULL << 20)

#define BOX_BYTES    (16ULL << 20) /* of feedback, unless the package allows more output */
#define STDERR_BYTES 1024          /* of it in the message about a broken validator */

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
	l = script_of(names, program->nsources);
	if (!l)
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
	if (rc == 0)
		rc = script_check(job->language, r.files, r.nfiles, e);
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
	job.executable = script_is_language(job.language);
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

/* The program's own command, then what the protocol adds.  The strings are borrowed from both. */
static const char **full_command(char **program, const char *const *words, const char *const *args,
				 struct err *e)
{
	size_t np = count(program);
	size_t nw = count(words);
	size_t na = count(args);
	const char **argv = calloc(np + nw + na + 1, sizeof(*argv));

	if (!argv) {
		err_set(e, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < np; i++)
		argv[i] = program[i];
	memcpy(argv + np, words, nw * sizeof(*argv));
	for (size_t i = 0; i < na; i++)
		argv[np + nw + i] = args[i];
	return argv;
}

/* All that a run of the validator needs; released by call_release(). */
struct call {
	const struct protocol *protocol;
	char **program;
	const char **argv;
	int extra[3];
	struct sandbox_spec spec;
};

static uint64_t time_limit(const struct problem *p)
{
	return p->limits.validation_time_us ? p->limits.validation_time_us : VALIDATION_TIME_US;
}

static uint64_t output_limit(const struct problem *p)
{
	return p->limits.validation_output_bytes ? p->limits.validation_output_bytes
						 : VALIDATION_OUTPUT_BYTES;
}

static uint64_t box_bytes(const struct problem *p)
{
	return output_limit(p) > BOX_BYTES ? output_limit(p) : BOX_BYTES;
}

struct jury_limits jury_limits_of(const struct problem *p, const struct language *l)
{
	return (struct jury_limits){
		.time_us = time_limit(p),
		.memory_bytes = memory_limit(p) + l->run.memory_extra_bytes,
		.output_bytes = output_limit(p),
		.box_bytes = box_bytes(p),
	};
}

char **jury_argv(const struct problem *p, const struct problem_program *program,
		 const struct language *l, struct err *e)
{
	const char **names = source_names(program, e);
	char **argv;

	if (!names)
		return NULL;
	argv = language_run_argv(l, names, program->nsources, memory_limit(p), e);
	free(names);
	return argv;
}

static void fill_spec(struct call *call, const struct problem *p, const struct language *l,
		      const struct jury_test *t)
{
	struct jury_limits lim = jury_limits_of(p, l);
	int as_file = call->protocol->output_is_file;

	call->extra[0] = t->input_fd;
	call->extra[1] = t->answer_fd;
	call->extra[2] = t->output_fd;
	call->spec = (struct sandbox_spec){
		.policy = l->run.policy,
		.argv = call->argv,
		.env = (const char *const *)l->run.env,
		.cpu_time_us = lim.time_us,
		.wall_time_us = 2 * lim.time_us + 1000000,
		.memory_bytes = lim.memory_bytes,
		.output_bytes = lim.output_bytes,
		.box_bytes = lim.box_bytes,
		.processes = l->run.processes,
		.stdin_fd = as_file ? -1 : t->output_fd,
		.extra_fds = call->extra,
		.nextra_fds = as_file ? 3 : 2,
		.same_box = 1, /* the one with feedback/ */
	};
}

static void call_release(struct call *call)
{
	free(call->argv);
	language_argv_free(call->program);
}

static int call_init(struct call *call, const struct problem *p, const struct language *l,
		     const struct jury_test *t, struct err *e)
{
	const struct problem_program *program = t->program ? t->program : &p->validator;

	*call = (struct call){.protocol = program == &p->interactor
						  ? protocol_of_interactor(p->protocol)
						  : protocol_of(p->protocol)};
	call->program = jury_argv(p, program, l, e);
	call->argv = call->program ? full_command(call->program, call->protocol->words, t->args, e)
				   : NULL;
	if (!call->argv) {
		call_release(call);
		return -1;
	}
	fill_spec(call, p, l, t);
	return 0;
}

static void how_it_ended(const struct protocol *protocol, const struct sandbox_report *r, char *out,
			 size_t size)
{
	switch (r->status) {
	case RUN_EXITED:
		snprintf(out, size, "exit code %d, %s", r->exit_code, protocol->codes);
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
static int blame(const struct sandbox_report *r, const char *how, struct jury_outcome *out,
		 struct err *e)
{
	AUTO_FREE char *said = ptr_steal(&out->message);
	AUTO_FREE char *printed = NULL;

	out->said = GRADE_BROKEN;
	if (r->stderr_fd >= 0 && text_clean_fd(r->stderr_fd, STDERR_BYTES, &printed, e) < 0)
		return -1;
	if (asprintf(&out->message, "validator: %s\n%s%s", how, said ? said : "",
		     printed ? printed : "") >= 0)
		return 0;
	out->message = NULL;
	return err_set(e, "out of memory");
}

/*
 * What cannot be taken, a sparse file larger than the box, say, is lost with a word to the judges; of several passes the next one would
 * be played without it, and a score would not be known, so there it is a fault.
 */
static int lost_feedback(const struct problem *p, struct jury_outcome *out, struct err *e)
{
	struct err why = *e;

	if (p->kind & (PROBLEM_MULTI_PASS | PROBLEM_SCORING))
		out->said = GRADE_BROKEN;
	if (asprintf(&out->message, "the validator's feedback is lost: %s\n", why.msg) >= 0)
		return 0;
	out->message = NULL;
	return err_set(e, "out of memory");
}

static int take_scores(const struct feedback *f, struct jury_outcome *out, struct err *e)
{
	if (feedback_text(f, "score.txt", &out->score, e) < 0)
		return -1;
	return feedback_text(f, "score_multiplier.txt", &out->multiplier, e);
}

static int take_feedback(struct sandbox_client *c, const struct problem *p,
			 const struct protocol *protocol, struct jury_outcome *out, struct err *e)
{
	const char *what = protocol->leaves            ? protocol->leaves
			   : p->kind & PROBLEM_SCORING ? "*.txt"
						       : "*message.txt";
	struct feedback *f = &out->feedback;

	if (protocol->speaks && !protocol->leaves)
		return 0;
	if (feedback_fetch(c, p->kind & PROBLEM_MULTI_PASS ? NULL : what, box_bytes(p), f, e) < 0)
		return sandbox_client_lost(c) ? -1 : lost_feedback(p, out, e);
	if (protocol->leaves)
		out->output_fd = feedback_take(f, protocol->leaves);
	if (protocol->speaks)
		return 0;
	if (p->kind & PROBLEM_MULTI_PASS)
		out->next_fd = feedback_take(f, "nextpass.in");
	if (p->kind & PROBLEM_SCORING && take_scores(f, out, e) < 0)
		return -1;
	if (feedback_text(f, "judgemessage.txt", &out->message, e) < 0)
		return -1;
	return feedback_text(f, "teammessage.txt", &out->team_message, e);
}

/* What it said and left, from its report.  To ask for another pass and to refuse the output do not go together. */
static int collect(struct sandbox_client *c, const struct problem *p,
		   const struct protocol *protocol, const struct sandbox_report *r,
		   struct jury_outcome *out, struct err *e)
{
	char how[128];

	if (r->status == RUN_SANDBOX_ERROR)
		return err_set(e, "%s", r->message);
	out->said = protocol->said(r);
	how_it_ended(protocol, r, how, sizeof(how));
	if (out->said == GRADE_BROKEN)
		return take_feedback(c, p, protocol, out, e) < 0 ? -1 : blame(r, how, out, e);
	if (take_feedback(c, p, protocol, out, e) < 0)
		return -1;
	if (protocol->speaks)
		return text_clean_fd(r->stderr_fd, FEEDBACK_MESSAGE_MAX, &out->message, e);
	if (out->next_fd >= 0 && out->said != GRADE_RIGHT)
		return blame(r, "wrote nextpass.in, but did not exit with 42", out, e);
	return 0;
}

static int run_validator(struct sandbox_client *c, const struct problem *p,
			 const struct language *l, const struct jury_test *t,
			 struct jury_outcome *out, struct err *e)
{
	struct sandbox_report r = {.stdout_fd = -1, .stderr_fd = -1};
	struct call call;
	int rc;

	if (call_init(&call, p, l, t, e) < 0)
		return -1;
	rc = feedback_put(c, t->feedback, e);
	if (rc == 0)
		rc = sandbox_client_run(c, &call.spec, &r, e);
	if (rc == 0)
		rc = collect(c, p, call.protocol, &r, out, e);
	sandbox_report_release(&r);
	call_release(&call);
	return rc;
}

int jury_validate(struct sandbox_client *c, const struct problem *p, const struct language *l,
		  const struct jury_test *t, struct jury_outcome *out, struct err *e)
{
	*out = (struct jury_outcome){.said = GRADE_BROKEN, .next_fd = -1, .output_fd = -1};
	if (run_validator(c, p, l, t, out, e) == 0)
		return 0;
	jury_outcome_release(out);
	return err_wrap(e, "validator");
}

/* It would not end: there is nothing to collect, and its cell is gone. */
static int blame_lost(struct jury_outcome *out, struct err *e)
{
	if (asprintf(&out->message, "interactor: had not ended %d s after the program",
		     GAME_LINGER_MS / 1000) >= 0)
		return 0;
	out->message = NULL;
	return err_set(e, "out of memory");
}

/* Its clock goes on while it waits for the program, however long that is allowed to take. */
static int play(struct sandbox_client *c, const struct problem *p, struct call *call,
		struct game *g, struct jury_outcome *out, struct err *e)
{
	int rc;

	call->spec.wall_time_us = g->program_spec->wall_time_us + time_limit(p) +
				  (uint64_t)sandbox_client_queue_ms(g->program) * 1000;
	call->spec.unpinned = 1;
	g->interactor = c;
	g->interactor_spec = &call->spec;
	g->said = call->protocol->said;
	rc = game_play(g, e);
	if (rc == 0 && g->interactor_lost)
		rc = blame_lost(out, e);
	else if (rc == 0 && collect(c, p, call->protocol, &g->interactor_report, out, e) < 0)
		rc = err_wrap(e, "interactor");
	sandbox_report_release(&g->interactor_report);
	return rc;
}

int jury_interact(struct sandbox_client *c, const struct problem *p, const struct language *l,
		  const struct jury_test *t, struct game *g, struct jury_outcome *out,
		  struct err *e)
{
	struct call call;
	int rc;

	*out = (struct jury_outcome){.said = GRADE_BROKEN, .next_fd = -1, .output_fd = -1};
	g->program_report = (struct sandbox_report){.stdout_fd = -1, .stderr_fd = -1};
	if (call_init(&call, p, l, t, e) < 0)
		return err_wrap(e, "interactor");
	rc = feedback_put(c, t->feedback, e);
	if (rc < 0)
		err_wrap(e, "interactor");
	else
		rc = play(c, p, &call, g, out, e);
	call_release(&call);
	if (rc < 0)
		jury_outcome_release(out);
	return rc;
}

void jury_outcome_release(struct jury_outcome *o)
{
	feedback_release(&o->feedback);
	if (o->next_fd >= 0)
		(void)close(o->next_fd);
	if (o->output_fd >= 0)
		(void)close(o->output_fd);
	free(o->message);
	free(o->team_message);
	free(o->score);
	free(o->multiplier);
	o->message = o->team_message = o->score = o->multiplier = NULL;
	o->next_fd = o->output_fd = -1;
}
