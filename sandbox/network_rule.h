/*
 * network_rule.h - a rule of networks/: what the cells that are plugged into one private network may reach.
 *
 * Reading is strict: an unknown key, a missing one or a wrong type is an error that says the line; a value that makes no
 * sense is an error that names the key.  Whatever a rule does not allow is dropped.
 */
#ifndef NETWORK_RULE_H
#define NETWORK_RULE_H

#include <stddef.h>
#include <stdint.h>

struct err;

#define NETWORK_SERVICES_MAX 32
#define NETWORK_CELLS_MAX    253 /* of a /24; the gateway takes the first address */

enum network_protocol { NETWORK_TCP, NETWORK_UDP };

/* Something that every cell of the network may open connections to. */
struct network_service {
	char name[33];
	enum network_protocol protocol;
	uint32_t address; /* in host byte order */
	uint16_t port;
};

struct network_rule { /* owns its text */
	char name[65], *text;
	uint32_t subnet;      /* in host byte order */
	unsigned prefix;      /* 24 to 29 */
	int groups;           /* cells of one group reach each other */
	int world;            /* public addresses are reachable, behind the host's */
	uint64_t rate;        /* bytes a second, of each cell, in each direction */
	unsigned connections; /* open ones to services and the world, of each cell */
	struct network_service services[NETWORK_SERVICES_MAX];
	size_t nservices;
};

/* Parses the text of NAME.yaml; *r must be zeroed before.  network_rule_load() reads dir/NAME.yaml and keeps the text. */
int network_rule_parse(struct network_rule *r, const char *text, size_t len, const char *name,
		       struct err *e);
int network_rule_load(struct network_rule *r, const char *dir, const char *name, struct err *e);
void network_rule_release(struct network_rule *r);

/* Addresses: the gateway's is the subnet's first, those of cells follow, 0 to network_rule_cells() - 1. */
uint32_t network_rule_gateway(const struct network_rule *r);
uint32_t network_rule_address(const struct network_rule *r, unsigned cell);
unsigned network_rule_cells(const struct network_rule *r);

/* Whether anything that it allows is outside of the private network. */
int network_rule_leads_out(const struct network_rule *r);

/* Addresses that are not the world: private, link-local, loopback, multicast ...; a NULL text ends them. */
struct network_range {
	const char *text;
	uint32_t first;
	unsigned prefix;
	int for_subnets; /* a private network may lie in it */
};
extern const struct network_range network_special_ranges[];

#endif
