/*
 * compile.h - sources become a program, inside a cell.
 *
 * Whatever the program does while it is compiled (runs out of a limit, crashes the compiler, makes a forbidden call, leaves
 * nothing behind) is a COMPILE_FAILED with the reason in the compiler's output: a result, not an error.  An error is a fault
 * of ours or of sandboxd; sandbox_client_lost() tells whether the cell is gone.
 */
#ifndef COMPILE_H
#define COMPILE_H

#include <stddef.h>
#include <stdint.h>

struct compile_cache;
struct err;
struct language;
struct sandbox_client;
struct sandbox_file;

#define COMPILE_OUTPUT_MAX    16384
#define COMPILE_ARTIFACTS_MAX (256ULL << 20) /* bytes that compile_artifacts() takes out */

struct compile_source { /* borrowed; the name has been checked by names_source() or names_package_file() */
	const char *name;
	const void *data;
	size_t len;
};

struct compile_job { /* borrowed */
	const struct language *language;
	const struct compile_source *sources;
	size_t nsources;
	int executable; /* sources may be executed by themselves: scripts that build */
	uint64_t
		program_memory_bytes; /* the limit that the program will run under, for {memory_mb} */
	uint64_t time_us, memory_bytes; /* limits of compiling; 0: the rule's */
	struct compile_cache *cache;    /* used by compile_program(); NULL: none */
};

enum compile_status { COMPILE_OK, COMPILE_FAILED };

struct compile_result { /* released by compile_result_release() */
	enum compile_status status;
	char *output; /* what the compiler printed and, for COMPILE_FAILED, the reason; of compile_text() */
	struct sandbox_file *files; /* of compile_artifacts() */
	size_t nfiles;
	int settled; /* COMPILE_FAILED by the sources alone, far from any limit: it would fail again */
	int cached; /* compiled earlier, from the same sources by the same compiler */
};

/*
 * Compiles and keeps: with COMPILE_OK the program is the cell's /program.  The cell's box must not have been used.  What is in
 * job->cache is not compiled but put there.
 */
int compile_program(struct sandbox_client *c, const struct compile_job *job,
		    struct compile_result *out, struct err *e);

/* Compiles and takes the program out of the cell as out->files; put back and kept in another cell it is the same program. */
int compile_artifacts(struct sandbox_client *c, const struct compile_job *job,
		      struct compile_result *out, struct err *e);

void compile_result_release(struct compile_result *r);

#endif
