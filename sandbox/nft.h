/*
 * nft.h - the packet filter of a private network, as text for libnftables.
 *
 * Two rulesets.  The private one drops what it does not allow: frames whose sender is not the cell of that port, cells of
 * different groups, everything that is not ARP or IPv4, and every address that the rule does not name.  It is fixed for the
 * life of the network: a cell is known by the name, the address and the group number of its port, so plugging one in
 * changes no rule and nothing is left of it.  The host's, only for a network that leads out, drops whatever comes from
 * there for the host itself.
 *
 * The library is opened when it is first needed, for the reason that netlink.h gives.
 */
#ifndef NFT_H
#define NFT_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct network_rule;
struct nft_guard;

/* Names of interfaces in the private namespace; ports are NFT_PORT and the number of the cell. */
#define NFT_BRIDGE "gavel0"
#define NFT_OUT    "out0"
#define NFT_PORT   "c"

/* The hardware address of whoever has this IPv4 address in the network. */
void nft_mac(uint32_t address, uint8_t mac[6]);

/*
 * Heap text, NULL when out of memory.  The addresses are the host's own, in host byte order: they are dropped on this side too,
 * so that the host's filter is not the only thing between it and a cell.
 */
char *nft_private_rules(const struct network_rule *r, const uint32_t *host, size_t nhost);
/* `uplink` is the host's end; `inner` the address of the other end; `table` a name that nobody else has. */
char *nft_host_rules(const char *table, const char *uplink, uint32_t inner);

/* Loads a ruleset into the namespace, whole or not at all. */
int nft_load(int ns, const char *rules, struct err *e);

/* The same for tables with `flags owner`, which the kernel removes with the guard, or with the process. */
struct nft_guard *nft_guard_open(int ns, const char *rules, struct err *e);
void nft_guard_close(struct nft_guard *g);

#endif
