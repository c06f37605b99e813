/*
 * unpack.h - reads container images in a process that has nothing to lose.
 *
 * JSON, decompression and tar are the most complicated bytes that Gavel takes from strangers, and a root is prepared by a
 * privileged program.  So a child does it: its root directory is the tree to be filled (or the layout itself while it only
 * looks), its user one that exists nowhere else, without capabilities, with no_new_privs, limits, and a system-call filter
 * that leaves it files and memory.  It sees the layout and the tree as mounts that are attached nowhere, with nothing above
 * them.  What it says is a record of fixed size; what it made is checked by tree_adopt().
 */
#ifndef UNPACK_H
#define UNPACK_H

#include <sys/types.h>

#include "sandbox/oci.h"

struct err;

struct unpack {
	int layout;               /* descriptor of the layout */
	int tree;                 /* of an empty folder that uid owns, or -1: only find the image */
	uid_t uid;                /* who the child is */
	struct oci_budget budget; /* with a tree */
};

struct unpack_result {
	struct oci_choice image; /* the manifest: found, and unpacked if there was a tree */
	struct oci_env env;      /* with a tree */
};

/* Needs rights_obtain().  Waits for the child; a signal that is caught meanwhile ends it, and is an error.  *r is checked as far as it can be. */
int unpack_run(const struct unpack *u, struct unpack_result *r, struct err *e);

#endif
