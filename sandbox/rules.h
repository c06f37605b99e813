/*
 * rules.h - the roots, the seccomp policies and the networks, read and compiled once when a program starts.
 *
 * Requests name them; nothing of a request is ever used as a path.  Every rule in the folder must be good, or nothing
 * starts: a broken policy is not a reason to run without it.
 */
#ifndef RULES_H
#define RULES_H

#include <stddef.h>

#include "sandbox/network_rule.h"
#include "sandbox/policy.h"
#include "sandbox/root.h"

struct err;
struct root_cache_options;

#define RULES_MAX 64

struct rules { /* owns everything */
	struct root roots[RULES_MAX];
	size_t nroots;
	struct policy policies[RULES_MAX];
	size_t npolicies;
	struct network_rule networks[RULES_MAX];
	size_t nnetworks;
	char hash[65]; /* SHA-256 over all of them, hexadecimal */
};

/* Reads dir/roots, dir/seccomp and, if it is there, dir/networks. */
int rules_load(struct rules *r, const char *dir, struct err *e);
void rules_release(struct rules *r);

/*
 * Only these, for who needs no others and has no time to read them; the hash stays empty.  A name comes from a person at a command
 * line, who could read any file anyway; network may be NULL.
 */
struct rules_names {
	const char *root, *policy, *network;
};
int rules_load_named(struct rules *r, const char *dir, const struct rules_names *names,
		     struct err *e);

/*
 * Fetches the files of the roots that have `from` (root_from.h), or only of the one called `name`.  The digests of container
 * images become part of the hash.
 */
int rules_use_from(struct rules *r, const char *name, const struct root_cache_options *cache,
		   struct err *e);

/* NULL when there is none of that name; borrowed from *r. */
const struct root *rules_root(const struct rules *r, const char *name);
const struct policy *rules_policy(const struct rules *r, const char *name);
const struct network_rule *rules_network(const struct rules *r, const char *name);

#endif
