/*
 * compile_cache.h - what need not be compiled again.
 *
 * A key is made of everything that the result depends on: the sources with their names, the command with what its words became,
 * the limits, the language rule, the sandbox's rules, the compiler's version and the state of the system's folders of programs and
 * libraries.  Whoever submits the same gets the same program.
 *
 * Safe against poisoning: what is put in came straight out of a cell that compiled just these sources with our command, so a
 * submission that tricks its compiler changes what is kept for itself.  Nothing that runs in a cell sees the cache.
 *
 * Only for programs of contestants: jury programs are built once for a package, and the two never share anything.
 */
#ifndef COMPILE_CACHE_H
#define COMPILE_CACHE_H

#include <stdint.h>

struct compile_cache;
struct compile_job;
struct compile_result;
struct err;
struct sandbox_client;

#define COMPILE_KEY_LEN 64

struct compile_cache_options { /* borrowed for the call */
	const char *dir;       /* made if it is missing */
	uint64_t max_bytes;    /* on disk */
	const char *toolchain; /* of struct languages */
	unsigned patience;     /* of prepare.h */
};

struct compile_cache *compile_cache_open(const struct compile_cache_options *o, struct err *e);
void compile_cache_close(struct compile_cache *c); /* NULL is allowed */

/*
 * 1 if the results of this job may be kept, with the key in `key` (COMPILE_KEY_LEN + 1 bytes); 0 if not: there is no cache,
 * nothing to compile, or no telling what.  sandbox_rules is that of the cell's welcome.
 */
int compile_cache_key(const struct compile_job *job, const char *sandbox_rules, char *key);

/* 1: *out is what an earlier compilation gave, files and all. */
int compile_cache_get(struct compile_cache *c, const char *key, struct compile_result *out);

/* r->files are the artifacts if it is COMPILE_OK.  A failure is kept only if it is settled. */
void compile_cache_put(struct compile_cache *c, const char *key, const struct compile_result *r);

/* What the rule has prepared for compilations (prepare.h): *fd is the caller's, -1 for nothing.  -1: the cell is lost. */
int compile_cache_prepare(const struct compile_job *job, struct sandbox_client *client, int *fd,
			  struct err *e);

#endif
