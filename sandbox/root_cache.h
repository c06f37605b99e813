/*
 * root_cache.h - unpacked container images, one folder each, named by the digest of its manifest.
 *
 * The cache folder belongs to the caller's user and nobody else may write to it.  An entry CACHE/sha256-DIGEST/ has
 *
 *   root/   the tree: read by cells, never written to again
 *   env     the image's environment, NAME=VALUE with a NUL behind each
 *   seal    what tree_seal() said of root/ and the digest of env when the entry was published
 *
 * An entry appears by rename(2), whole or not at all.  A lock on the folder lets one process unpack at a time; what a process
 * that died left is removed by the next.  An entry whose seal does not fit is unpacked again.
 */
#ifndef ROOT_CACHE_H
#define ROOT_CACHE_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "sandbox/oci.h"

struct err;

#define ROOT_CACHE_DIR "/var/cache/gavel/roots"

/* Of a plain user, with the uid: cells must be able to go there, which a home folder often forbids. */
#define ROOT_CACHE_DIR_OF "/var/tmp/gavel-%u/roots"

struct root_cache_options {
	const char *dir; /* made if need be; NULL: one of the two above, by rights_user() */
	uid_t ids_base, ids_count; /* one of these unpacks; 0: the defaults of ids.h */
	struct oci_budget budget;  /* zeros: 32 GiB, 1,000,000 files */
};

struct root_cache_entry {
	char path[PATH_MAX]; /* of the tree */
	char digest[DIGEST_HEX];
	struct oci_env env;
};

/* The entry of the image in an OCI layout, unpacked if it is not there or not whole. */
int root_cache_get(const struct root_cache_options *o, const char *layout,
		   struct root_cache_entry *entry, struct err *e);

/* Writes the absolute path of a name in the cache to out; the cache is made if need be. */
int root_cache_folder(const struct root_cache_options *o, const char *name, char *out, size_t size,
		      struct err *e);

#endif
