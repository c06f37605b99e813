/*
 * bridge.h - private networks, and the cells plugged into them.
 *
 * A private network is a network namespace that belongs to no cell and not to the host: a Linux bridge, with the packet
 * filter of nft.h around it, and one pair of interfaces a cell: a port of the bridge, and eth0 in the cell.  Whoever needs
 * it first makes it; it lasts for as long as a process holds it, so it goes with the last of them, however that one ends.
 * The namespace belongs to a user namespace of its own, so only the way to the host needs a right over the host's network.
 * All that the kernel keeps of one cell hangs on its pair of interfaces, which goes with the cell's own namespace.
 *
 * Processes find each other's networks through a folder of empty files.  Whoever holds a network holds a lock on a byte of
 * its file, fcntl(2), whose offset is the number of the descriptor that is the namespace: the kernel tells everybody the
 * process and the offset, and forgets them when the process dies.  An exclusive flock(2) is held while one looks, makes a
 * network or plugs in.
 *
 * If the rule leads out of the network there is a second pair, to the host's namespace; what comes in there for the host
 * itself is dropped by a table that each holder has loaded for itself, so that it is there for as long as anybody needs it.
 */
#ifndef BRIDGE_H
#define BRIDGE_H

#include <sys/types.h>

struct err;
struct network_rule;
struct nft_guard;
struct nl_sock;

#define BRIDGE_FOLDER    "/run/gavel-networks"
#define BRIDGE_GROUP_MAX 64

struct bridge {
	const struct network_rule *rule;  /* borrowed; NULL: not open */
	char group[BRIDGE_GROUP_MAX + 1]; /* empty: reaches no other cell */
	char path[256];
	int registry, ns;
	struct nl_sock *sock; /* in ns */
	struct nft_guard *guard;
	unsigned cell; /* the number of its port */
	int port, out; /* indices of the port and of the way out, 0: none */
	ino_t plugged; /* the cell's namespace, 0: none */
};

/*
 * Holds the network of this rule, which it makes if nobody of the same `instance` and in the same network namespace has
 * one.  Needs root.  A process holds one network at a time.  An error says what the kernel lacks or refused; nothing is left
 * then.
 */
int bridge_open(struct bridge *b, const struct network_rule *rule, const char *group,
		const char *instance, struct err *e);

/* Unplugs the cell and lets go of the network; harmless if it is not open. */
void bridge_close(struct bridge *b);

/*
 * Gives a network namespace an eth0 with an address and a default route.  Does nothing if that is the one that has it
 * already; another one that had it loses it.
 */
int bridge_plug(struct bridge *b, int ns, struct err *e);

/* Removes the files of networks that nobody holds any more. */
void bridge_sweep(void);

#endif
