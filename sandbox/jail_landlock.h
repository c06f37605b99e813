/*
 * jail_landlock.h - what the mount table makes unreachable is also refused by path.
 *
 * Where mounts, ids and read-only flags are one bug away from each other, these rules are of another part of the kernel: read
 * and execute beneath "/", write only in the folders and devices that the root's table makes writable, no devices made, and,
 * where the kernel has it, no signal and no abstract socket to anybody outside the run.  See proto/landlock.h.
 */
#ifndef JAIL_LANDLOCK_H
#define JAIL_LANDLOCK_H

struct err;
struct root;

/* Confines the calling process for good; needs no_new_privs.  Does nothing where landlock_abi() is 0. */
int jail_landlock_enter(const struct root *r, struct err *e);

/* An error unless the caller is confined (or landlock_abi() is 0).  Asks by a call that fails anyway, but otherwise. */
int jail_landlock_verify(const struct root *r, struct err *e);

#endif
