#include "sandbox/mounts.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"

#define JAIL_ATTRS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

int mounts_clone(const char *path, enum mounts_kind kind, struct err *e)
{
	static const uint64_t attrs[] = {
		[MOUNTS_RO] = JAIL_ATTRS | MOUNT_ATTR_RDONLY,
		[MOUNTS_RW] = JAIL_ATTRS,
		[MOUNTS_DEVICE] = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY,
	};
	struct mount_attr attr = {.attr_set = attrs[kind]};
	/* Recursive: a folder whose submounts stayed behind would show what they hide. */
	AUTO_CLOSE int tree = (int)syscall(SYS_open_tree, AT_FDCWD, path,
					   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (tree < 0)
		return err_sys(e, "open_tree %s", path);
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
		    sizeof(attr)) < 0)
		return err_sys(e, "mount_setattr %s", path);
	return fd_steal(&tree);
}

static int configure(int fs, const char *key, const char *value, struct err *e)
{
	if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0) < 0)
		return err_sys(e, "mount option %s=%s", key, value);
	return 0;
}

static int create(int fs, unsigned attrs, struct err *e)
{
	int tree;

	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(e, "fsconfig create");
	tree = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attrs);
	if (tree < 0)
		return err_sys(e, "fsmount");
	return tree;
}

int mounts_new_tmpfs(const struct mounts_tmpfs *t, struct err *e)
{
	char bytes[32], inodes[32], uid[16], gid[16];
	AUTO_CLOSE int fs = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);

	if (fs < 0)
		return err_sys(e, "fsopen tmpfs");
	snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)t->bytes);
	snprintf(inodes, sizeof(inodes), "%llu", (unsigned long long)t->inodes);
	snprintf(uid, sizeof(uid), "%u", t->uid);
	snprintf(gid, sizeof(gid), "%u", t->gid);
	if (configure(fs, "size", bytes, e) < 0 || configure(fs, "nr_inodes", inodes, e) < 0 ||
	    configure(fs, "mode", t->mode, e) < 0 || configure(fs, "uid", uid, e) < 0 ||
	    configure(fs, "gid", gid, e) < 0)
		return err_wrap(e, "tmpfs");
	return create(fs, JAIL_ATTRS, e);
}

int mounts_new_proc(struct err *e)
{
	AUTO_CLOSE int fs = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);

	if (fs < 0)
		return err_sys(e, "fsopen proc");
	if (configure(fs, "hidepid", "invisible", e) < 0 || configure(fs, "subset", "pid", e) < 0)
		return err_wrap(e, "proc");
	return create(fs, JAIL_ATTRS | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY, e);
}

int mounts_new_image(const char *type, const char *source, struct err *e)
{
	AUTO_CLOSE int fs = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);

	if (fs < 0)
		return err_sys(e, "fsopen %s", type);
	if (configure(fs, "source", source, e) < 0)
		return -1;
	if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0)
		return err_sys(e, "mount option ro");
	return create(fs, JAIL_ATTRS | MOUNT_ATTR_RDONLY, e);
}

int mounts_attach_at(int tree, int point, struct err *e)
{
	if (syscall(SYS_move_mount, tree, "", point, "",
		    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(e, "mount");
	return 0;
}

int mounts_attach(int tree, const char *path, struct err *e)
{
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "mount on %s", path);
	return 0;
}
