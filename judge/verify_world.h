/*
 * verify_world.h - what the commands that judge without a server have in common: languages, a store, test data in memory.
 */
#ifndef VERIFY_WORLD_H
#define VERIFY_WORLD_H

#include "judge/language.h"

struct blob_cache;
struct compile_cache;
struct err;
struct store;
struct verify_host;

#define VERIFY_JOBS_MAX 64

struct verify_world {
	const struct verify_host *host; /* borrowed; set by the caller, as are the two below */
	unsigned jobs;                  /* at the same time, 1 to VERIFY_JOBS_MAX */
	size_t transcript_bytes;        /* of job.h */
	struct languages languages;
	struct store *store;
	struct blob_cache *blobs;
	struct compile_cache *compiled; /* with the store: it is gone when that is */
};

/*
 * In the unprivileged process: reads the rules of the languages, asks sandboxd which of them are there, opens the store.  Rules
 * that are broken are named on standard error, after the name of the command.  To be closed also after -1.
 */
int verify_world_open(struct verify_world *w, const char *command, struct err *e);
void verify_world_close(struct verify_world *w);

#endif
