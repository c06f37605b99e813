#include "judge/compile_cache.h"

#include "judge/compile.h"
#include "judge/hash.h"
#include "judge/language.h"
#include "judge/program_cache.h"
#include "proto/err.h"
#include "proto/scope.h"

struct compile_cache {
	struct program_cache *programs;
	char *toolchain;
};

struct compile_cache *compile_cache_open(const struct compile_cache_options *o, struct err *e)
{
	struct compile_cache *c = calloc(1, sizeof(*c));

	if (c)
		c->toolchain = strdup(o->toolchain);
	if (!c || !c->toolchain)
		err_set(e, "out of memory");
	else
		c->programs = program_cache_open(o->dir, o->max_bytes, e);
	if (c && c->programs)
		return c;
	compile_cache_close(c);
	return NULL;
}

void compile_cache_close(struct compile_cache *c)
{
	if (!c)
		return;
	program_cache_close(c->programs);
	free(c->toolchain);
	free(c);
}

/* Each field with its length: no two lists of fields give the same bytes. */
static void add(FILE *f, const void *data, size_t len)
{
	fprintf(f, "%zu:", len);
	(void)fwrite(data, 1, len, f);
}

static void add_text(FILE *f, const char *text)
{
	add(f, text, strlen(text));
}

static void add_number(FILE *f, uint64_t number)
{
	fprintf(f, "%llu;", (unsigned long long)number);
}

static void add_job(FILE *f, const struct compile_job *job, char *const *argv)
{
	const struct language *l = job->language;

	add_text(f, l->name);
	add_text(f, l->hash);
	add_text(f, l->found ? l->found : "");
	add_number(f, job->time_us);
	add_number(f, job->memory_bytes);
	for (; *argv; argv++)
		add_text(f, *argv);
	add_number(f, job->nsources);
	for (size_t i = 0; i < job->nsources; i++) {
		add_text(f, job->sources[i].name);
		add(f, job->sources[i].data, job->sources[i].len);
	}
}

/* The command of the job, or NULL: a fault of the author, which is found again soon enough. */
static char **command_of(const struct compile_job *job)
{
	const char **names = calloc(job->nsources + 1, sizeof(*names));
	char **argv = NULL;
	struct err ignored;

	for (size_t i = 0; names && i < job->nsources; i++)
		names[i] = job->sources[i].name;
	if (names)
		argv = language_compile_argv(job->language, names, job->nsources,
					     job->program_memory_bytes, &ignored);
	free(names);
	return argv;
}

int compile_cache_key(const struct compile_job *job, const char *sandbox_rules, char *key)
{
	AUTO_FREE char *bytes = NULL;
	struct err ignored;
	size_t len = 0;
	char **argv;
	FILE *f;
	int rc;

	if (!job->cache || !job->language->compile.command || !job->language->compile.cache)
		return 0;
	argv = command_of(job);
	f = argv ? open_memstream(&bytes, &len) : NULL;
	if (f) {
		add_text(f, job->cache->toolchain);
		add_text(f, sandbox_rules);
		add_job(f, job, argv);
	}
	rc = f && fclose(f) == 0 && hash_bytes(bytes, len, key, &ignored) == 0;
	language_argv_free(argv);
	return rc;
}

int compile_cache_get(struct compile_cache *c, const char *key, struct compile_result *out)
{
	return program_cache_get(c->programs, key, out);
}

void compile_cache_put(struct compile_cache *c, const char *key, const struct compile_result *r)
{
	if (r->status == COMPILE_OK || r->settled)
		program_cache_put(c->programs, key, r);
}
