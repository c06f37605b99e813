/*
 * landlock.h - rules of landlock(7): which paths a process and its children may still reach.
 *
 * A ruleset is a descriptor that nothing is granted by at first; landlock_enter() applies it to the calling thread for good,
 * and to the threads and processes that it starts afterwards.  It takes nothing away from descriptors that are open already,
 * and neither looks (stat, readlink) nor connecting to a unix socket by path are its business.
 *
 * A kernel without Landlock, or with one under which files could not be moved between folders (ABI 1), goes without: then
 * landlock_abi() is 0 and nothing else here may be called.
 */
#ifndef LANDLOCK_H
#define LANDLOCK_H

#include <linux/landlock.h>
#include <stdint.h>

struct err;

#define LANDLOCK_READ    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define LANDLOCK_EXECUTE LANDLOCK_ACCESS_FS_EXECUTE

/* Files that are there already; 1 << 14 is truncate(2), younger than some headers. */
#define LANDLOCK_CHANGE (LANDLOCK_ACCESS_FS_WRITE_FILE | 1ULL << 14)

/* Files made, moved and removed; never a device. */
#define LANDLOCK_KEEP                                                                              \
	(LANDLOCK_READ | LANDLOCK_CHANGE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                         \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                            \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |                              \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER)

/* The kernel's version of it, 0 if there is none that serves. */
int landlock_abi(void);

/*
 * A ruleset, owned by the caller, under which nothing may be done to any file and, from ABI 6 on, no signal and no abstract
 * socket reaches a process outside.  no_connect: no TCP connection may be begun either (ABI 4 on).
 */
int landlock_new(int no_connect, struct err *e);

/* Grants some of the above beneath a folder, or on a file; ENOENT in e->num if there is none. */
int landlock_grant(int rules, const char *path, uint64_t what, struct err *e);

/* Needs no_new_privs. */
int landlock_enter(int rules, struct err *e);

#endif
