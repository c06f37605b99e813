/*
 * network.h - the network namespace of a cell, and whether a run left anything in it.
 *
 * A new network namespace costs more than a whole run, so it is kept from run to run for as long as nobody can tell: sockets
 * that outlive their process (one end of a unix socket in flight inside the other), counters, half-closed connections all
 * show in /proc/self/net.  What it shows is noted when the namespace is new and compared after each run; at the first
 * difference the namespace is replaced.
 */
#ifndef NETWORK_H
#define NETWORK_H

#include <stddef.h>

struct err;

/* How a request names a network of networks/; what follows is the rule's name. */
#define NETWORK_BRIDGE "bridge:"

#define NETWORK_TRACES_MAX 32768

/* What /proc/self/net showed when the namespace was new. */
struct network {
	const char *kind; /* "none", "loopback" or "bridge"; borrowed */
	size_t len;
	char traces[NETWORK_TRACES_MAX];
};

/* Sets up the new, empty network namespace of the caller: needs rights over it, nothing else. */
int network_set_up(const char *kind, struct err *e);

/* 0 if "lo" is up unless for "none", and is the only interface unless for "bridge", which has "eth0", up, without IPv6. */
int network_verify(const char *kind, struct err *e);

/* Notes what the namespace shows now. */
int network_open(struct network *n, const char *kind, struct err *e);

/*
 * After a run: 0 if nothing is different, 1 if the namespace had to be replaced by a new one.  That of "bridge" always is: its
 * counters move by themselves.  The keeper plugs the new one in before the next run, which begins with network_check().
 */
int network_renew(struct network *n, struct err *e);
int network_check(const struct network *n, struct err *e);

#endif
