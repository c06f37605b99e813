#include "sandbox/ps.h"

#include <pwd.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/cells.h"
#include "sandbox/cgroup_ops.h"
#include "sandbox/see.h"

static const char usage[] = "usage: sandbox ps [--json]\n"
			    "Shows the cells of every sandboxd and sandbox on this machine.  As "
			    "root all of it; other users\n"
			    "are not shown whether a cell is idle or running.\n";

/* The processes of all groups of a cell, as far as we can see them. */
struct pids {
	const struct cells *cells;
	const struct cells_cell *cell;
	json_t *all;
};

static void add_pids(void *arg, const char *group)
{
	struct pids *p = arg;
	size_t n = 0;
	AUTO_CLOSE int dir = cells_open(p->cells, p->cell, 0, group);
	AUTO_FREE pid_t *pids = dir < 0 ? NULL : cells_pids(dir, "cgroup.procs", &n);

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(p->all, json_integer(pids[i]));
}

static json_t *controllers_json(const struct cells_instance *in, const struct cells_tree *t)
{
	json_t *list = json_array();

	for (int c = 0; c < CGROUP_CONTROLLERS; c++)
		if (in->version == 1 && (t->controllers & 1U << c))
			(void)json_array_append_new(list, json_string(cgroup_controller_name(
								  (enum cgroup_controller)c)));
	return list;
}

static json_t *trees_json(const struct cells_instance *in, const char *cell)
{
	json_t *list = json_array();

	for (int i = 0; i < in->ntrees; i++) {
		char path[PATH_MAX + NAME_MAX];

		snprintf(path, sizeof(path), "%s%s%s", in->trees[i].path, *cell ? "/" : "", cell);
		(void)json_array_append_new(list, json_pack("{s:o, s:o}", "path", see_json(path),
							    "controllers",
							    controllers_json(in, &in->trees[i])));
	}
	return list;
}

static json_t *cell_json(const struct cells *c, const struct cells_cell *cell)
{
	struct pids p = {.cells = c, .cell = cell, .all = json_array()};

	cells_groups(c, cell, 0, add_pids, &p);
	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
			 see_json(cell->name), "state", cells_state_name(cell->state), "init_pid",
			 see_number(cell->init > 0 ? cell->init : -1), "keeper_pid",
			 see_number(cell->keeper > 0 ? cell->keeper : -1), "pids", p.all, "tasks",
			 see_number(cell->tasks), "cpu_time_us", see_number(cell->cpu_us),
			 "memory_bytes", see_number(cell->memory_bytes), "memory_peak_bytes",
			 see_number(cell->memory_peak_bytes), "cgroups",
			 trees_json(&c->instances[cell->instance], cell->name));
}

static json_t *instance_json(const struct cells *c, size_t index)
{
	const struct cells_instance *in = &c->instances[index];
	json_t *cells = json_array();

	for (size_t i = 0; i < c->ncells; i++)
		if (c->cells[i].instance == index)
			(void)json_array_append_new(cells, cell_json(c, &c->cells[i]));
	return json_pack("{s:s, s:b, s:o, s:o, s:I, s:i, s:o, s:o}", "name", in->name, "alive",
			 in->master > 0, "pid", see_number(in->master > 0 ? in->master : -1),
			 "program", *in->program ? see_json(in->program) : json_null(), "uid",
			 (json_int_t)in->owner, "cgroup_version", in->version, "cgroups",
			 trees_json(in, ""), "cells", cells);
}

static json_t *all_json(const struct cells *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->ninstances; i++)
		(void)json_array_append_new(list, instance_json(c, i));
	return json_pack("{s:b, s:o}", "complete", geteuid() == 0, "instances", list);
}

static const char *user_name(uid_t uid, char *text, size_t size)
{
	const struct passwd *p = getpwuid(uid); /* NOLINT(concurrency-mt-unsafe): one thread */

	if (p)
		snprintf(text, size, "%s", see_q(p->pw_name));
	else
		snprintf(text, size, "%u", uid);
	return text;
}

static const char *number_or_dash(int64_t n, char *text, size_t size)
{
	if (n > 0)
		snprintf(text, size, "%lld", (long long)n);
	else
		snprintf(text, size, "-");
	return text;
}

static const char *colour_of(enum cells_state s)
{
	if (!see_colours())
		return "";
	return s == CELLS_RUNNING ? "\033[32m" : s == CELLS_SERVING ? "\033[36m" : "";
}

static void print_cell(const struct cells_cell *cell)
{
	char init[16], keeper[16], tasks[24];
	const char *colour = colour_of(cell->state);

	printf("  %-20s %s%-8s%s %8s %8s %6s %10s %8s %8s\n", see_q(cell->name), colour,
	       cells_state_name(cell->state), *colour ? "\033[0m" : "",
	       number_or_dash(cell->init, init, sizeof(init)),
	       number_or_dash(cell->keeper, keeper, sizeof(keeper)),
	       number_or_dash(cell->tasks, tasks, sizeof(tasks)), see_time(cell->cpu_us),
	       see_bytes(cell->memory_bytes), see_bytes(cell->memory_peak_bytes));
}

static void print_instance(const struct cells *c, size_t index)
{
	const struct cells_instance *in = &c->instances[index];
	char user[64];
	size_t shown = 0;

	printf("%s%s", index ? "\n" : "", in->name);
	if (in->master > 0)
		printf("  %s, pid %d", *in->program ? see_q(in->program) : "unknown",
		       (int)in->master);
	else
		printf("  no living owner seen");
	printf(", user %s\n  cgroup v%d %s\n", user_name(in->owner, user, sizeof(user)),
	       in->version, see_q(in->trees[0].path));
	for (size_t i = 0; i < c->ncells; i++) {
		if (c->cells[i].instance != index)
			continue;
		if (shown++ == 0)
			printf("  %-20s %-8s %8s %8s %6s %10s %8s %8s\n", "CELL", "STATE", "INIT",
			       "KEEPER", "TASKS", "CPU", "MEMORY", "PEAK");
		print_cell(&c->cells[i]);
	}
	if (shown == 0)
		printf("  no cells\n");
}

static void print_all(const struct cells *c)
{
	if (c->ninstances == 0)
		puts("no sandboxd and no sandbox is running here");
	for (size_t i = 0; i < c->ninstances; i++)
		print_instance(c, i);
	if (geteuid() != 0)
		puts("\nNot root: whether a cell is idle, serving or running cannot be seen, and "
		     "where /proc or\n"
		     "the cgroups hide other users' processes their cells are missing or without "
		     "an init.");
}

int ps_command(int argc, char **argv)
{
	struct see_options o;
	struct cells c = {0};
	struct err e = {0};
	int status = SEE_OK;

	if (see_options(&o, argc, argv, 0, NULL, &e) < 0) {
		fprintf(stderr, "sandbox: %s\n", e.msg);
		return SEE_USAGE;
	}
	if (o.help) {
		fputs(usage, stdout);
		return SEE_OK;
	}
	if (cells_find(&c, &e) < 0) {
		fprintf(stderr, "sandbox: ps: %s\n", e.msg);
		status = SEE_FAILED;
	} else if (o.json) {
		json_t *all = all_json(&c);

		status = see_dump(all);
		json_decref(all);
	} else {
		print_all(&c);
	}
	cells_release(&c);
	return status;
}
