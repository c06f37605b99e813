/*
 * mounts.h - the new mount calls (fsopen(2), open_tree(2), move_mount(2), mount_setattr(2)) with the flags of a jail.
 *
 * A tree is a descriptor of a mount that is not attached anywhere yet; the caller owns it.  In a user namespace attributes
 * can only be added, never taken away, which is all that happens here.
 */
#ifndef MOUNTS_H
#define MOUNTS_H

#include <stdint.h>

struct err;

enum mounts_kind {
	MOUNTS_RO,     /* read-only, nosuid, nodev */
	MOUNTS_RW,     /* nosuid, nodev */
	MOUNTS_DEVICE, /* one device node: read-only, nosuid, noexec */
};

struct mounts_tmpfs {
	uint64_t bytes, inodes; /* limits */
	const char *mode;       /* of its root, octal */
	unsigned uid, gid;      /* owner of its root, as ids of the caller's user namespace */
};

/* Clones the tree of mounts at path, recursively, and gives it the attributes of kind. */
int mounts_clone(const char *path, enum mounts_kind kind, struct err *e);

/* A new tmpfs, nosuid and nodev. */
int mounts_new_tmpfs(const struct mounts_tmpfs *t, struct err *e);

/* A new procfs of the caller's pid namespace: hidepid=invisible, subset=pid, read-only, nosuid, nodev, noexec. */
int mounts_new_proc(struct err *e);

/*
 * A new mount of the block device `source`, read-only, nosuid and nodev.  e->num is ENODEV if the kernel does not know the type.
 * Whoever made the bytes of the device talks to the kernel's parser: only for images that are trusted.
 */
int mounts_new_image(const char *type, const char *source, struct err *e);

/* Attaches a tree at path, which must exist; or at what a descriptor (O_PATH) stands for. */
int mounts_attach(int tree, const char *path, struct err *e);
int mounts_attach_at(int tree, int point, struct err *e);

#endif
