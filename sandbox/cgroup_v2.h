/*
 * cgroup_v2.h - what cgroup_v2.c and cgroup_v2_place.c share; private to them.
 */
#ifndef CGROUP_V2_H
#define CGROUP_V2_H

#include "sandbox/cgroup_ops.h"

#define CGROUP_V2_BASICS (1U << CGROUP_MEMORY | 1U << CGROUP_PIDS)

/* What the file, cgroup.controllers or cgroup.subtree_control, lists of those that can be switched on. */
unsigned cgroup_v2_listed(int dir, const char *file);

/* Switches them on for the children of the folder. */
int cgroup_v2_enable(int dir, unsigned controllers, struct err *e);

/* Of struct cgroup_ops. */
int cgroup_v2_place(struct cgroup_host *h, int root, const struct cgroup_found *f, struct err *e);

#endif
