/*
 * rights.h - where the right to make cells comes from.
 *
 * Cells need user ids that are nobody else's, and a process that may hand them out.  Root is one already.  A plain user becomes one
 * over ids of his own: in a user namespace where he is root and where the subordinate ids that the administrator gave him
 * (subids.h) exist, written by newuidmap(1) and newgidmap(1).  From there on all the rest is the same code: capabilities
 * count for that namespace and for nothing else of the host.
 *
 * Inside, a subordinate uid has the number that it has on the host, so that claims (ids.h) and messages mean the same everywhere; a
 * subordinate gid has the number of the uid beside it.  The user himself is 0, and so is everybody who connects as him.  All
 * others, root of the host too, are 65534 and nobody.
 */
#ifndef RIGHTS_H
#define RIGHTS_H

#include <sys/types.h>

struct err;

/*
 * For root: nothing but giving up supplementary groups.  For others: moves the process, which has one thread, into the user
 * namespace and a mount namespace of its own, for good, and makes the subordinate ids those of cells (ids.h).  base, count: ids that
 * are going to be asked for, or 0, 0: they must be among them.  What is missing is an error that says how to mend it: cgroup v2,
 * subordinate ids, newuidmap, user namespaces for plain users.
 */
int rights_obtain(uid_t base, uid_t count, struct err *e);

/* After rights_obtain(): on the host, the user that this process is of; 0 if it is root there. */
uid_t rights_user(void);

/* The caller's largest ranges, uids and gids side by side; for rights_obtain() and doctor. */
int rights_subordinate(uid_t *base, gid_t *gid_base, uid_t *count, struct err *e);

#endif
