#include "judge/problem_parts.h"
#include "proto/err.h"
#include "proto/scope.h"

struct problem_group *problem_group_add(struct problem *p, const char *name, size_t parent,
					struct err *e)
{
	struct problem_group *grown;

	if (p->ngroups == PROBLEM_GROUPS_MAX) {
		err_set(e, "data: more than %d groups of tests", PROBLEM_GROUPS_MAX);
		return NULL;
	}
	grown = reallocarray(p->groups, p->ngroups + 1, sizeof(*grown));
	if (!grown) {
		err_sys(e, "groups");
		return NULL;
	}
	p->groups = grown;
	grown[p->ngroups] = (struct problem_group){
		.name = strdup(name), .parent = parent, .accept_score = score_of(1)};
	if (!grown[p->ngroups].name) {
		err_sys(e, "groups");
		return NULL;
	}
	return &grown[p->ngroups++];
}
