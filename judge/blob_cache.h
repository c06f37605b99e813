/*
 * blob_cache.h - test data as sealed memfds, the least recently used ones thrown away.
 *
 * The store keeps blobs by hash; a cell takes sealed memfds.  This is what lies between, shared by all workers, so that a
 * test is read from the store once and not for every submission.  Holds at most max_bytes, in at most 256 blobs; one larger than
 * that is given out and not kept.
 */
#ifndef BLOB_CACHE_H
#define BLOB_CACHE_H

#include <stdint.h>

struct blob_cache;
struct err;
struct store;

/* Borrows the store.  NULL: out of memory. */
struct blob_cache *blob_cache_new(struct store *store, uint64_t max_bytes);
void blob_cache_free(struct blob_cache *c);

/* A sealed memfd with an open file description of its own, at offset 0; the caller owns it. */
int blob_cache_get(struct blob_cache *c, const char *hash, struct err *e);

#endif
