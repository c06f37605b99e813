#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/root.h"

/* Younger than the oldest headers we build with; the numbers are the kernel's interface. */
enum {
	FS_TRUNCATE = 1 << 14,
	SCOPE_ABSTRACT_SOCKET = 1 << 0,
	SCOPE_SIGNAL = 1 << 1,
};

struct ruleset {
	uint64_t fs, net, scoped;
};

enum {
	ABI_REFER = 2, /* before it no file could be moved between folders */
	ABI_TRUNCATE = 3,
	ABI_SCOPED = 6,
};

/* What a program may do to everything it sees. */
#define LOOK                                                                                       \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

/* What may be done to a file, and so be granted on one that is no folder. */
#define ON_FILE                                                                                    \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |                               \
	 LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)

/* And to its own folders: no devices, though no capability would let it make one. */
#define KEEP                                                                                       \
	(LOOK | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                    \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                            \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |                              \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER |   \
	 FS_TRUNCATE)

int landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < ABI_REFER ? 0 : (int)abi;
}

static struct ruleset wanted(int abi)
{
	struct ruleset r = {.fs = KEEP | LANDLOCK_ACCESS_FS_MAKE_CHAR |
				  LANDLOCK_ACCESS_FS_MAKE_BLOCK};

	if (abi < ABI_TRUNCATE)
		r.fs &= ~(uint64_t)FS_TRUNCATE;
	if (abi >= ABI_SCOPED)
		r.scoped = SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL;
	return r;
}

/* Older kernels take a shorter structure. */
static size_t size_of(int abi)
{
	return abi >= ABI_SCOPED ? sizeof(struct ruleset) : sizeof(((struct ruleset *)NULL)->fs);
}

static int grant(int rules, const char *path, uint64_t what, struct err *e)
{
	AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = {.allowed_access = what, .parent_fd = fd};
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= ON_FILE;
	if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return err_sys(e, "landlock rule for %s", path);
	return 0;
}

static int grant_row(int rules, const struct root_mount *m, uint64_t fs, struct err *e)
{
	switch (m->type) {
	case ROOT_BIND_RW:
	case ROOT_TMPFS:
	case ROOT_BOX:
		return grant(rules, m->target, KEEP & fs, e);
	case ROOT_DEV: /* the five nodes; the rest are links into /proc */
		return grant(rules, m->target,
			     (LOOK | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE) & fs, e);
	default:
		return 0;
	}
}

int landlock_enter(const struct root *r, struct err *e)
{
	int abi = landlock_abi();
	struct ruleset set = wanted(abi);

	if (abi == 0)
		return 0;
	AUTO_CLOSE int rules = (int)syscall(SYS_landlock_create_ruleset, &set, size_of(abi), 0);

	if (rules < 0)
		return err_sys(e, "landlock ruleset");
	if (grant(rules, "/", LOOK & set.fs, e) < 0)
		return -1;
	for (size_t i = 0; i < r->nmounts; i++)
		if (grant_row(rules, &r->mounts[i], set.fs, e) < 0)
			return -1;
	if (syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		return err_sys(e, "landlock");
	return 0;
}

/*
 * Landlock is asked before capabilities are: under it, making a device fails with EACCES where it would with EPERM.  On a kernel
 * that let it be made, nothing would be left of it but an error.
 */
int landlock_verify(const struct root *r, struct err *e)
{
	char path[4200];

	if (landlock_abi() == 0)
		return 0;
	for (size_t i = 0; i < r->nmounts; i++) {
		if (r->mounts[i].type != ROOT_BOX)
			continue;
		snprintf(path, sizeof(path), "%s/.gavel-is-landlock-there", r->mounts[i].target);
		if (mknod(path, S_IFCHR | 0600, makedev(1, 3)) < 0 && errno == EACCES)
			return 0;
	}
	return err_set(e, "Landlock is not in force");
}
