/*
 * ids.h - the host user and group ids of a cell.
 *
 * A cell has two host ids, used as uid and gid alike: one is 0 inside (its init), the other is 1000 inside (programs).  No two
 * cells of the machine have the same, whatever instance of Gavel they belong to, so that no limit, signal or file permission
 * is ever shared.  The claim is an abstract unix socket named after the pair: the kernel drops it with its owner, whatever
 * way that dies.
 */
#ifndef IDS_H
#define IDS_H

#include <sys/types.h>

struct err;

#define IDS_INIT    0    /* inside the cell */
#define IDS_PROGRAM 1000 /* inside the cell */

/* Above the ranges of systemd (UIDS-GIDS.md: containers end at 1879048191) and below 2^31. */
#define IDS_BASE_DEFAULT  1900000000U
#define IDS_COUNT_DEFAULT 65536U

struct ids {
	uid_t init, program; /* on the host */
	int claim;           /* the socket; owned */
};

/*
 * Claims a free pair from base .. base + count - 1, or, if count is 0, from the default range; pairs begin at even ids, so ranges
 * that overlap share whole pairs.
 */
int ids_claim(struct ids *ids, uid_t base, uid_t count, struct err *e);
void ids_release(struct ids *ids);

/* Another default range, for this process and those it will fork: where IDS_BASE_DEFAULT is not its own to give, rights.h. */
void ids_use(uid_t base, uid_t count);

/*
 * Writes uid_map and gid_map of a process that is in a new user namespace; needs CAP_SETUID and CAP_SETGID over those ids.  See
 * user_namespaces(7).
 */
int ids_map(const struct ids *ids, pid_t pid, struct err *e);

#endif
