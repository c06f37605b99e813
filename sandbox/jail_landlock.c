#include "sandbox/jail_landlock.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/landlock.h"
#include "proto/scope.h"
#include "sandbox/root.h"

#define LOOK (LANDLOCK_READ | LANDLOCK_EXECUTE)

static int grant_row(int rules, const struct root_mount *m, struct err *e)
{
	switch (m->type) {
	case ROOT_BIND_RW:
	case ROOT_TMPFS:
	case ROOT_BOX:
		return landlock_grant(rules, m->target, LANDLOCK_KEEP | LANDLOCK_EXECUTE, e);
	case ROOT_DEV: /* the five nodes; the rest are links into /proc */
		return landlock_grant(rules, m->target, LOOK | LANDLOCK_CHANGE, e);
	default:
		return 0;
	}
}

int jail_landlock_enter(const struct root *r, struct err *e)
{
	if (landlock_abi() == 0)
		return 0;
	/* Whom a program may connect to is decided by its network namespace. */
	AUTO_CLOSE int rules = landlock_new(0, e);

	if (rules < 0 || landlock_grant(rules, "/", LOOK, e) < 0)
		return -1;
	for (size_t i = 0; i < r->nmounts; i++)
		if (grant_row(rules, &r->mounts[i], e) < 0)
			return -1;
	return landlock_enter(rules, e);
}

/*
 * Landlock is asked before capabilities are: under it, making a device fails with EACCES where it would with EPERM.  On a kernel
 * that let it be made, nothing would be left of it but an error.
 */
int jail_landlock_verify(const struct root *r, struct err *e)
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
