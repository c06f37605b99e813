/*
 * privilege.h - the capabilities that sandboxd keeps; see capabilities(7).
 *
 * Started as root it has all of them.  Once the roots are prepared it gives up, for good and for all that it starts, every one
 * that is not in the table of privilege.c; a keeper, which has a client, gives up more.  Bounding set included, and no_new_privs
 * set: sandboxd starts no other program.  A cell's init has all capabilities of its own user namespace all the same, which
 * is none over the host.
 */
#ifndef PRIVILEGE_H
#define PRIVILEGE_H

#include <stdint.h>

struct err;

enum privilege { PRIVILEGE_MASTER, PRIVILEGE_KEEPER };

/* Before privilege_reduce(): keep CAP_NET_ADMIN too, because a network of the rules leads out through the host. */
void privilege_with_network(void);

/* The set, as the bits of /proc/PID/status. */
uint64_t privilege_mask(enum privilege who);

/* Keeps what the caller has of the set.  Asks the kernel afterwards: an error if anything else is left. */
int privilege_reduce(enum privilege who, struct err *e);

#endif
