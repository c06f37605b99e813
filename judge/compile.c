#include "judge/compile.h"

#include <errno.h>

#include "judge/compile_cache.h"
#include "judge/compile_text.h"
#include "judge/entry.h"
#include "judge/language.h"
#include "judge/sandbox_client.h"
#include "judge/source.h"
#include "judge/text.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define REASON_MAX 320

/* Of what is kept in the cache: it has to fit a box again that has the default size. */
#define CACHED_BYTES (48ULL << 20)
#define CACHED_FILES 1000

/* With a reason, it stands behind what the compiler has said; it may name a file of the box. */
static int set_failed(struct compile_result *out, const char *reason, struct err *e)
{
	AUTO_FREE char *clean = text_clean(reason, strlen(reason), REASON_MAX);
	const char *said = out->output ? out->output : "";
	size_t len = strlen(said);
	char *text;

	out->status = COMPILE_FAILED;
	if (!reason[0])
		return 0;
	if (!clean || asprintf(&text, "%s%s%s\n", said,
			       len > 0 && said[len - 1] != '\n' ? "\n" : "", clean) < 0)
		return err_set(e, "out of memory");
	free(out->output);
	out->output = text;
	return 0;
}

/* A source as it is put into the box: under the name that its compiler wants. */
static int put_sources(struct sandbox_client *c, const struct compile_job *job,
		       const struct entry *entry, struct err *e)
{
	struct sandbox_file *files = calloc(job->nsources + 1, sizeof(*files));
	size_t n = 0;
	int rc = -1;

	if (!files)
		return err_set(e, "out of memory");
	for (; n < job->nsources; n++) {
		files[n].mode = job->executable ? 0555 : 0444;
		files[n].name = entry->names[n];
		files[n].fd = source_memfd(&job->sources[n], e);
		if (files[n].fd < 0)
			goto out;
	}
	rc = sandbox_client_put(c, files, n, 0, e);
out:
	while (n > 0)
		close(files[--n].fd);
	free(files);
	return rc;
}

/* Why a run of the compiler is a failure, for the author of the program; "" if its own output says so. */
static void reason_of(const struct compile_job *job, const struct sandbox_spec *s,
		      const struct sandbox_report *r, int silent, char *out)
{
	const char *path = job->language->compile.command[0];
	const char *what = strrchr(path, '/') + 1; /* a rule's command has an absolute path */

	switch (r->status) {
	case RUN_CPU_TIME_LIMIT:
	case RUN_WALL_TIME_LIMIT:
		snprintf(out, REASON_MAX, "%s: stopped after %.1f s of %s time", what,
			 (double)(r->status == RUN_CPU_TIME_LIMIT ? s->cpu_time_us
								  : s->wall_time_us) /
				 1e6,
			 r->status == RUN_CPU_TIME_LIMIT ? "CPU" : "wall-clock");
		break;
	case RUN_MEMORY_LIMIT:
		snprintf(out, REASON_MAX, "%s: stopped, it needed more than %llu MiB of memory",
			 what, (unsigned long long)(s->memory_bytes >> 20));
		break;
	case RUN_OUTPUT_LIMIT:
		snprintf(out, REASON_MAX, "%s: stopped, it printed more than %llu KiB", what,
			 (unsigned long long)(s->output_bytes >> 10));
		break;
	case RUN_FORBIDDEN_SYSCALL:
		snprintf(out, REASON_MAX, "%s: stopped for the forbidden system call %s", what,
			 r->syscall);
		break;
	case RUN_SIGNALED:
		snprintf(out, REASON_MAX, "%s: ended by signal %d", what, r->signal);
		break;
	default:
		out[0] = '\0';
		if (silent)
			snprintf(out, REASON_MAX, "%s: exit code %d", what, r->exit_code);
	}
}

/*
 * On another day, with the machine busier or the compiler's threads in another order, would it be the same?  Surely if it was far
 * from its limits.
 */
static int is_settled(const struct sandbox_spec *s, const struct sandbox_report *r)
{
	return r->status == RUN_EXITED && r->cpu_time_us < s->cpu_time_us / 2 &&
	       r->wall_time_us < s->wall_time_us / 2 &&
	       r->memory_peak_bytes < s->memory_bytes / 4 * 3 && r->processes_peak < s->processes;
}

static int judge_run(const struct compile_job *job, const struct entry *entry,
		     const struct sandbox_spec *s, const struct sandbox_report *r,
		     struct compile_result *out, struct err *e)
{
	char reason[REASON_MAX];

	if (r->status == RUN_SANDBOX_ERROR)
		return err_set(e, "%s: %s", s->argv[0], r->message);
	if (compile_text(r->stdout_fd, job, entry, COMPILE_OUTPUT_MAX - REASON_MAX - 2,
			 &out->output, e) < 0)
		return err_wrap(e, "output of %s", s->argv[0]);
	if (r->status == RUN_EXITED && r->exit_code == 0)
		return 0;
	reason_of(job, s, r, out->output[0] == '\0', reason);
	out->settled = is_settled(s, r);
	return set_failed(out, reason, e);
}

static int run_compiler(struct sandbox_client *c, const struct compile_job *job,
			const struct entry *entry, int prepared, struct compile_result *out,
			struct err *e)
{
	const struct language *l = job->language;
	uint64_t time_us = job->time_us ? job->time_us : l->compile.time_us;
	char **argv = language_compile_argv_at(l, entry, job->program_memory_bytes, e);
	struct sandbox_spec s = {
		.policy = l->compile.policy,
		.argv = (const char *const *)argv,
		.env = (const char *const *)l->compile.env,
		.cpu_time_us = time_us,
		.wall_time_us = 2 * time_us + 1000000,
		.memory_bytes = job->memory_bytes ? job->memory_bytes : l->compile.memory_bytes,
		.output_bytes = l->compile.output_bytes,
		.box_bytes = l->compile.box_bytes,
		.processes = l->compile.processes,
		.stdin_fd = -1,
		.extra_fds = &prepared,
		.nextra_fds = prepared >= 0,
		.same_box = 1, /* the one with the sources */
		.merge_stderr = 1,
	};
	struct sandbox_report r;
	int rc;

	if (!argv)
		return -1;
	rc = sandbox_client_run(c, &s, &r, e);
	if (rc == 0) {
		rc = judge_run(job, entry, &s, &r, out, e);
		sandbox_report_release(&r);
	}
	language_argv_free(argv);
	return rc;
}

static int build_at(struct sandbox_client *c, const struct compile_job *job,
		    const struct entry *entry, struct compile_result *out, struct err *e)
{
	AUTO_CLOSE int prepared = -1;

	if (compile_cache_prepare(job, c, &prepared, e) < 0)
		return err_wrap(e, "prepare the compiler");
	if (put_sources(c, job, entry, e) < 0)
		return err_wrap(e, "put the sources into the box");
	if (job->language->compile.command)
		return run_compiler(c, job, entry, prepared, out, e);
	out->output = strdup("");
	return out->output ? 0 : err_set(e, "out of memory");
}

/* Leaves the compiled program in the box. */
static int build(struct sandbox_client *c, const struct compile_job *job,
		 struct compile_result *out, struct err *e)
{
	struct entry entry;
	int rc;

	*out = (struct compile_result){.status = COMPILE_OK};
	for (size_t i = 0; i < job->nsources; i++)
		if (source_check(&job->sources[i], e) < 0)
			return set_failed(out, e->msg, e);
	/* No main file, or several, or nowhere to begin: the author's mistake. */
	if (entry_find(job->language, job->sources, job->nsources, &entry, e) < 0)
		return set_failed(out, e->msg, e);
	rc = build_at(c, job, &entry, out, e);
	entry_release(&entry);
	return rc;
}

/*
 * What KEEP or FETCH answered.  A file that is missing, and files that are too many or too large (no errno), are what the
 * compiler left, so the author's fault; all else is ours.
 */
static int artifacts_taken(int rc, struct compile_result *out, struct err *e)
{
	char reason[REASON_MAX];

	if (rc == 0)
		return 0;
	if (e->num != ENOENT && e->num != 0)
		return err_wrap(e, "take the program out of the box");
	if (e->num == ENOENT)
		snprintf(reason, sizeof(reason), "the compiler left no program");
	else
		snprintf(reason, sizeof(reason),
			 "the compiler left no program that could be kept: %s", e->msg);
	return set_failed(out, reason, e);
}

static int take_artifacts(struct sandbox_client *c, const struct compile_job *job,
			  uint64_t max_bytes, struct compile_result *out, struct err *e)
{
	static const char *const everything[] = {"*", NULL};
	const char *const *paths = (const char *const *)job->language->compile.artifacts;

	return sandbox_client_fetch(c, paths ? paths : everything, max_bytes, &out->files,
				    &out->nfiles, e);
}

/* Compiles, and keeps a copy for those who submit the same. */
static int compile_anew(struct sandbox_client *c, const struct compile_job *job, const char *key,
			struct compile_result *out, struct err *e)
{
	int rc;

	if (build(c, job, out, e) < 0)
		return -1;
	/* What cannot be taken out is not kept in the cache; KEEP says what is wrong with it. */
	if (key && out->status == COMPILE_OK && take_artifacts(c, job, CACHED_BYTES, out, e) < 0 &&
	    sandbox_client_lost(c))
		return -1;
	rc = out->status == COMPILE_FAILED
		     ? 0
		     : artifacts_taken(
			       sandbox_client_keep(
				       c, (const char *const *)job->language->compile.artifacts, e),
			       out, e);
	if (key && rc == 0 && (out->status == COMPILE_FAILED || out->files) &&
	    out->nfiles <= CACHED_FILES)
		compile_cache_put(job->cache, key, out);
	return rc;
}

/* As if it had been compiled in this cell. */
static int restore(struct sandbox_client *c, struct compile_result *out, struct err *e)
{
	out->cached = 1;
	if (out->status == COMPILE_FAILED)
		return 0;
	if (sandbox_client_put(c, out->files, out->nfiles, 0, e) < 0 ||
	    sandbox_client_keep(c, NULL, e) < 0)
		return err_wrap(e, "put back a compiled program");
	return 0;
}

int compile_program(struct sandbox_client *c, const struct compile_job *job,
		    struct compile_result *out, struct err *e)
{
	char key[COMPILE_KEY_LEN + 1];
	int keyed = compile_cache_key(job, sandbox_client_rules_hash(c), key);
	int rc;

	rc = keyed && compile_cache_get(job->cache, key, out)
		     ? restore(c, out, e)
		     : compile_anew(c, job, keyed ? key : NULL, out, e);
	sandbox_files_free(out->files, out->nfiles);
	out->files = NULL;
	out->nfiles = 0;
	return rc;
}

int compile_artifacts(struct sandbox_client *c, const struct compile_job *job,
		      struct compile_result *out, struct err *e)
{
	if (build(c, job, out, e) < 0)
		return -1;
	if (out->status == COMPILE_FAILED)
		return 0;
	return artifacts_taken(take_artifacts(c, job, COMPILE_ARTIFACTS_MAX, out, e), out, e);
}

void compile_result_release(struct compile_result *r)
{
	free(r->output);
	sandbox_files_free(r->files, r->nfiles);
	*r = (struct compile_result){.status = COMPILE_FAILED};
}
