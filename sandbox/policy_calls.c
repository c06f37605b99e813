#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "proto/scope.h"
#include "sandbox/policy_rules.h"

/*
 * Calls younger than the libseccomp we link with.  From 424 on a call has the same number on every architecture, but for the
 * two of x86-64 that fill a gap.
 */
static const struct {
	const char *name;
	int nr;
} young[] = {
#if defined(__x86_64__)
	{"uretprobe", 335}, /* 6.11 */
	{"uprobe", 336},    /* 6.18 */
#else
	{"uretprobe", POLICY_CALL_ELSEWHERE},
	{"uprobe", POLICY_CALL_ELSEWHERE},
#endif
	{"cachestat", 451},         /* 6.5 */
	{"fchmodat2", 452},         /* 6.6 */
	{"map_shadow_stack", 453},  /* 6.6 */
	{"futex_wake", 454},        /* 6.7 */
	{"futex_wait", 455},        /* 6.7 */
	{"futex_requeue", 456},     /* 6.7 */
	{"statmount", 457},         /* 6.8 */
	{"listmount", 458},         /* 6.8 */
	{"lsm_get_self_attr", 459}, /* 6.8 */
	{"lsm_set_self_attr", 460}, /* 6.8 */
	{"lsm_list_modules", 461},  /* 6.8 */
	{"mseal", 462},             /* 6.10 */
	{"setxattrat", 463},        /* 6.13 */
	{"getxattrat", 464},        /* 6.13 */
	{"listxattrat", 465},       /* 6.13 */
	{"removexattrat", 466},     /* 6.13 */
	{"open_tree_attr", 467},    /* 6.15 */
	{"file_getattr", 468},      /* 6.17 */
	{"file_setattr", 469},      /* 6.17 */
};

int policy_call_number(const char *name)
{
	int nr = seccomp_syscall_resolve_name(name);

	if (nr >= 0)
		return nr;
	for (size_t i = 0; i < ARRAY_LEN(young); i++)
		if (strcmp(young[i].name, name) == 0)
			return young[i].nr;
	return nr == __NR_SCMP_ERROR ? POLICY_CALL_UNKNOWN : POLICY_CALL_ELSEWHERE;
}

const char *policy_call_young_name(int nr)
{
	for (size_t i = 0; i < ARRAY_LEN(young); i++)
		if (young[i].nr == nr)
			return young[i].name;
	return NULL;
}
