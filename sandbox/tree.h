/*
 * tree.h - a folder that strangers fill: nothing done in it by name ever leaves it.
 *
 * Whoever fills a tree (archives of a container image) chooses all its names and links.  Every path is first normalised, then
 * resolved by the kernel with the tree's descriptor as "/" (openat2(2), RESOLVE_IN_ROOT): a symbolic link, absolute or with
 * "..", ends up inside.  The last component is never followed.
 */
#ifndef TREE_H
#define TREE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

enum {
	TREE_PATH_BYTES = 4096, /* of a path, with its NUL */
	TREE_NAME_MAX = 255,    /* of a component */
	TREE_DEPTH_MAX = 64,    /* components below the root, also through links */
};

/*
 * "./a//b/" becomes "a/b" and "." the empty text.  Absolute paths, "..", and what is longer or deeper than above are refused.
 * out has TREE_PATH_BYTES.
 */
int tree_normalise(const char *given, char *out, struct err *e);

/*
 * A descriptor (O_PATH) of the folder that holds a normalised, non-empty path, which the caller owns; *base points at the last
 * component, inside path.  With make, folders that are missing are made.  -1 with e->num ENOENT where one is missing.
 */
int tree_parent(int tree, const char *path, int make, const char **base, struct err *e);

/* Removes a name, and all below it if it is a folder; it is no error if it does not exist. */
int tree_remove(int parent, const char *name, struct err *e);

/* Removes everything in a folder. */
int tree_empty(int folder, struct err *e);

/*
 * For the privileged side, once whoever filled the tree is dead.  Fails unless all of it is regular files, folders and links
 * owned by `from`, readable by all, without setuid, setgid or sticky bits; makes the caller's effective user the owner.
 */
int tree_adopt(int tree, uid_t from, struct err *e);

/*
 * SHA-256, hexadecimal, over what the kernel says of every entry: name, type, mode, owner, size, inode, times of change, texts
 * of links.  Any later change of the tree, also of the bytes of a file, changes it; a copy of the tree has another.
 */
int tree_seal(int tree, char hex[65], struct err *e);

#endif
