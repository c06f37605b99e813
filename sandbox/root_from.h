/*
 * root_from.h - roots whose files come from somewhere else than the host's own folders: the key `from` of a rule, and --root.
 *
 * `from` is a path: a folder that looks like a root file system; a squashfs or erofs image (root_image.h); an OCI image layout
 * (root_cache.h), known by its file oci-layout.  What is found there becomes rows of the mount table, beneath the rule's own, so that
 * /proc, /dev, /tmp, /box, /program and the rule's files are the cell's whatever the image has there.
 */
#ifndef ROOT_FROM_H
#define ROOT_FROM_H

#include "sandbox/root_cache.h"

struct err;
struct root;

/*
 * Makes the folder's files rows of the table.  A folder becomes one bind, unless a row of the rule lies in it at a place that the
 * folder does not have: then its entries become binds, one each.  A row of the rule wins over what the folder has there.
 */
int root_use_folder(struct root *r, const char *folder, struct err *e);

/* Any of the three; the root keeps the environment and the digest of an OCI image.  A root without `from` is left alone. */
int root_use_from(struct root *r, const struct root_cache_options *cache, struct err *e);

#endif
