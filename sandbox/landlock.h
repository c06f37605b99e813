/*
 * landlock.h - a second guard at the file system, landlock(7): what the mount table makes unreachable is also refused by path.
 *
 * Where mounts, ids and read-only flags are one bug away from each other, these rules are of another part of the kernel: read and
 * execute beneath "/", write only in the folders and devices that the root's table makes writable, no devices made, and, where
 * the kernel has it (ABI 6), no signal and no abstract socket to anybody outside the run.
 *
 * A kernel without Landlock, or with one that cannot let a program rename files between folders (ABI 1), goes without: the layer
 * is then not in force, and landlock_abi() says so.
 */
#ifndef LANDLOCK_H
#define LANDLOCK_H

struct err;
struct root;

/* The kernel's version of it, 0 if there is none that serves. */
int landlock_abi(void);

/* Confines the calling process for good; needs no_new_privs.  Does nothing where landlock_abi() is 0. */
int landlock_enter(const struct root *r, struct err *e);

/* An error unless the caller is confined (or landlock_abi() is 0).  Asks by a call that fails anyway, but otherwise. */
int landlock_verify(const struct root *r, struct err *e);

#endif
