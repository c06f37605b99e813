/*
 * netlink.h - interfaces, addresses and routes of a network namespace, through libnl-route-3.
 *
 * The library is opened when it is first needed, not linked: nearly every run is without a network, and would pay for
 * loading it each time.  Everything here acts in the namespace that its socket was opened in, wherever the process is.
 */
#ifndef NETLINK_H
#define NETLINK_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct nl_sock;

#define NETLINK_NAME_MAX  15
#define NETLINK_ALIAS_MAX 128

/* A socket of the namespace ns, which stays open in it; the caller owns it. */
struct nl_sock *netlink_open(int ns, struct err *e);
void netlink_close(struct nl_sock *sock);

/*
 * Runs fn(arg) inside a network namespace and comes back.  If there is no way back the process ends: it must never go on
 * in the wrong one.
 */
int netlink_inside(int ns, int (*fn)(void *arg, struct err *e), void *arg, struct err *e);

/* One interface as netlink_list() tells it. */
struct netlink_link {
	int index;
	char name[NETLINK_NAME_MAX + 1];
	char alias[NETLINK_ALIAS_MAX + 1];
	uint32_t group;
};

/* All interfaces of the namespace into heap memory that the caller frees. */
int netlink_list(struct nl_sock *sock, struct netlink_link **links, size_t *n, struct err *e);

/* A new bridge, up; fails with EEXIST if there is an interface of that name. */
int netlink_add_bridge(struct nl_sock *sock, const char *name, const uint8_t mac[6], struct err *e);

/* A pair of interfaces: `name` here, `peer_name` in the namespace peer_ns; both are down.  EEXIST as above. */
struct netlink_pair {
	const char *name, *peer_name;
	int peer_ns;
	const uint8_t *peer_mac; /* NULL: any */
	uint32_t group;
	int master; /* index of the bridge that `name` is a port of, 0: none */
};
int netlink_add_pair(struct nl_sock *sock, const struct netlink_pair *p, struct err *e);

/*
 * Removes the interface with this index, or of this name if the index is 0; what is not there is no error.  A name may have
 * gone to somebody else's interface in the meantime, an index does not.
 */
int netlink_remove(struct nl_sock *sock, int index, const char *name, struct err *e);

/* Brings up an interface, gives it an alias unless that is NULL (a new interface cannot have one), and returns its index. */
int netlink_up(struct nl_sock *sock, const char *name, const char *alias, struct err *e);

/* Gives an interface an address, in host byte order; a route through it, prefix 0 being the default route. */
int netlink_add_address(struct nl_sock *sock, int index, uint32_t address, unsigned prefix,
			struct err *e);
int netlink_add_default_route(struct nl_sock *sock, int index, uint32_t gateway, struct err *e);

#endif
