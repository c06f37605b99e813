/*
 * oci_layer.h - one layer of a container image, applied to a tree.
 *
 * A layer is a tar archive of what changed (image-spec, layer.md), read with libarchive.  Runs without privilege: see
 * root_cache.c.  Folders are made 0755, files 0644 or 0755 if anybody may execute them; owners, extended attributes and
 * setuid bits are dropped, devices, pipes and sockets left out.  Times of change are kept for files.
 */
#ifndef OCI_LAYER_H
#define OCI_LAYER_H

#include <stdint.h>

#include "sandbox/digest.h"

struct err;

enum oci_compression { OCI_PLAIN, OCI_GZIP, OCI_ZSTD };

struct oci_layer {
	enum oci_compression compression;
	char digest[DIGEST_HEX]; /* SHA-256 of the blob, hexadecimal */
	uint64_t size;           /* of the blob */
};

/* What all layers together may still unpack. */
struct oci_budget {
	uint64_t bytes, entries;
};

/* Loads libarchive; before anything is given up that the loader needs. */
int oci_layer_load(struct err *e);

/*
 * Applies the blob, a regular file at its beginning, to the tree; its whiteouts first, so that they hit lower layers only.
 * What was unpacked is taken off the budget.  Size and digest are compared when all of it was read: after a failure the
 * tree is of no use.  Needs oci_layer_load().
 */
int oci_layer_apply(const struct oci_layer *l, int blob, int tree, struct oci_budget *budget,
		    struct err *e);

#endif
