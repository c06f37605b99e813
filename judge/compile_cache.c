#include "judge/compile_cache.h"

#include "judge/compile.h"
#include "judge/entry.h"
#include "judge/hash.h"
#include "judge/language.h"
#include "judge/prepare.h"
#include "judge/program_cache.h"
#include "proto/err.h"
#include "proto/scope.h"
#include "proto/version.h"

struct compile_cache {
	struct program_cache *programs;
	struct prepare *prepare;
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
	if (c && c->programs) {
		c->prepare = prepare_new(c->programs, o->patience);
		if (c->prepare)
			return c;
		err_set(e, "out of memory");
	}
	compile_cache_close(c);
	return NULL;
}

void compile_cache_close(struct compile_cache *c)
{
	if (!c)
		return;
	prepare_free(c->prepare);
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

static void add_job(FILE *f, const struct compile_job *job, const struct entry *entry,
		    char *const *argv)
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
		add_text(f, entry->names[i]);
		add(f, job->sources[i].data, job->sources[i].len);
	}
}

/* Every byte of it in the order of what the sources, the machine and this program contribute. */
static char *describe(const struct compile_job *job, const struct entry *entry,
		      const char *sandbox_rules, size_t *len)
{
	struct err ignored;
	char **argv =
		language_compile_argv_at(job->language, entry, job->program_memory_bytes, &ignored);
	char *bytes = NULL;
	FILE *f = argv ? open_memstream(&bytes, len) : NULL;

	if (f) {
		add_text(f, GAVEL_VERSION);
		add_text(f, job->cache->toolchain);
		add_text(f, sandbox_rules);
		add_job(f, job, entry, argv);
		if (fclose(f) != 0) {
			free(bytes);
			bytes = NULL;
		}
	}
	language_argv_free(argv);
	return bytes;
}

int compile_cache_key(const struct compile_job *job, const char *sandbox_rules, char *key)
{
	AUTO_FREE char *bytes = NULL;
	struct entry entry;
	struct err ignored;
	size_t len = 0;

	if (!job->cache || !job->language->compile.command || !job->language->compile.cache)
		return 0;
	/* The author's fault, which is found again soon enough. */
	if (entry_find(job->language, job->sources, job->nsources, &entry, &ignored) < 0)
		return 0;
	bytes = describe(job, &entry, sandbox_rules, &len);
	entry_release(&entry);
	return bytes && hash_bytes(bytes, len, key, &ignored) == 0;
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

int compile_cache_prepare(const struct compile_job *job, struct sandbox_client *client, int *fd,
			  struct err *e)
{
	*fd = -1;
	return job->cache ? prepare_take(job->cache->prepare, client, job, job->cache->toolchain,
					 fd, e)
			  : 0;
}
