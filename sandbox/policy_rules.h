/*
 * policy_rules.h - the parsed form of a policy, between its text and its filter.
 *
 * Internal to policy*.c, and open to their tests and fuzzer.
 */
#ifndef POLICY_RULES_H
#define POLICY_RULES_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/policy.h"

struct err;

enum {
	POLICY_MAX_RULES = 1024,
	POLICY_MAX_CONDS = 6,
	POLICY_MAX_FILES = 32, /* of one policy */
	POLICY_MAX_DEPTH = 8,  /* of includes */
	POLICY_MAX_LINE = 512,
	POLICY_MAX_FILE_BYTES = 64 * 1024,
};

/* (argument & mask) == value, or != value. */
struct policy_cond {
	uint64_t mask;
	uint64_t value;
	unsigned int arg; /* 0 to 5 */
	bool equal;
};

/* One line: `action` if all conditions hold. */
struct policy_rule {
	int nr;
	uint32_t action; /* SECCOMP_RET_ALLOW, _USER_NOTIF or _ERRNO | number */
	unsigned int nconds;
	struct policy_cond conds[POLICY_MAX_CONDS];
	unsigned int order; /* in which it was read */
	unsigned int file;  /* index into policy_rules.files */
	unsigned int line;
};

/*
 * What a policy says.  Of the rules of one call, those with conditions are
 * tried in their order; the one without, wherever it stands, is the last.
 */
struct policy_rules {
	struct policy_rule rules[POLICY_MAX_RULES];
	size_t nrules;
	char files[POLICY_MAX_FILES][POLICY_NAME_BYTES];
	unsigned int nfiles;
};

/*
 * Gives the text of the policy file called NAME: *text is heap memory the
 * parser takes, *len its length, at most POLICY_MAX_FILE_BYTES.
 */
typedef int policy_open_fn(void *ctx, const char *name, char **text, size_t *len, struct err *e);

/* What policy_parse() reads through: the only way it reaches a file. */
struct policy_source {
	const char *dir; /* for messages only */
	policy_open_fn *open;
	void *ctx; /* handed to open */
};

/* The action of a call that no rule decides. */
uint32_t policy_default_action(void);

/* True if NAME may name a policy: 1 to 63 characters of [a-z0-9_-]. */
bool policy_name_ok(const char *name);

/* Parses policy NAME and its includes into *r, in the order read. */
int policy_parse(struct policy_rules *r, const char *name, const struct policy_source *src,
		 struct err *e);

/* The youngest call that the shipped policies have been read against: file_setattr, Linux 6.18. */
#define POLICY_CALLS_LAST 469

/*
 * The number of a call on this machine; ELSEWHERE if only other architectures have it.  Knows what libseccomp knows, and the
 * calls that are younger.
 */
enum { POLICY_CALL_ELSEWHERE = -1, POLICY_CALL_UNKNOWN = -2 };
int policy_call_number(const char *name);

/* The name of a native call that libseccomp may not know yet; NULL if it is none of those. */
const char *policy_call_young_name(int nr);

/* Looks up a symbolic constant of `len` bytes ("AF_UNIX"); false if unknown. */
bool policy_symbol(const char *name, size_t len, uint64_t *value);

/* Compiles *r, whose rules it sorts, into *out, whose filter the caller frees. */
int policy_compile(struct policy_rules *r, struct sock_fprog *out, struct err *e);

#endif
