/*
 * program_cache.h - what compiling gave, kept in a folder under a key.
 *
 * The key says all that the result depends on (compile_cache.h makes it), so an entry never changes and is never out of date: it
 * is found or not.  An entry is one file, called by its key, whose last bytes are the SHA-256 of the rest, the key included.  It
 * is written beside its place and renamed, and what does not match its hash is removed and counts as not there: so a crash, a full
 * disk, a torn page or a stranger's file cost a compilation and nothing else.  Nothing is synced to disk for the same reason.
 *
 * The folder belongs to one process at a time.  Entries together take at most max_bytes of it; those that were not used for the
 * longest time go first, and none is added while the disk is nearly full.  All calls may come from any thread.
 */
#ifndef PROGRAM_CACHE_H
#define PROGRAM_CACHE_H

#include <stddef.h>
#include <stdint.h>

struct compile_result;
struct err;
struct program_cache;

#define PROGRAM_CACHE_SPARE (512ULL << 20) /* free bytes that are left to others on the disk */

/* Makes the folder if it is missing, takes up what is in it, removes what is no entry. */
struct program_cache *program_cache_open(const char *dir, uint64_t max_bytes, struct err *e);
void program_cache_close(struct program_cache *c); /* NULL is allowed */

/* 1: *out is filled (released by compile_result_release()).  0: it is not there, *out is untouched. */
int program_cache_get(struct program_cache *c, const char *key, struct compile_result *out);

/* Best effort: what cannot be kept is logged and forgotten. */
void program_cache_put(struct program_cache *c, const char *key, const struct compile_result *r);

#endif
