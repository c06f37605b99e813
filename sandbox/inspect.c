#include "sandbox/inspect.h"

#include <ctype.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/cells.h"
#include "sandbox/see.h"

static const char usage[] = "usage: sandbox inspect CELL|PID [--json]\n"
			    "Shows one cell as the kernel sees it: namespaces against the host's, "
			    "tasks, ids, capabilities,\n"
			    "seccomp, cgroups with limits and use, mounts, network.  CELL is a "
			    "name that 'sandbox ps' shows,\n"
			    "INSTANCE/CELL where several have it; PID a process in it.  Needs root "
			    "to show all of it.\n";

struct search {
	const struct cells *cells;
	const struct cells_cell *cell;
	pid_t pid;
	int found;
};

static void look_for_pid(void *arg, const char *group)
{
	struct search *s = arg;
	size_t n = 0;
	AUTO_CLOSE int dir = cells_open(s->cells, s->cell, 0, group);
	const char *const files[] = {"cgroup.procs", "tasks", "cgroup.threads"};

	for (size_t f = 0; dir >= 0 && f < ARRAY_LEN(files); f++) {
		AUTO_FREE pid_t *pids = cells_pids(dir, files[f], &n);

		for (size_t i = 0; i < n; i++)
			s->found |= pids[i] == s->pid;
	}
}

static const struct cells_cell *cell_of_pid(const struct cells *c, const char *text, struct err *e)
{
	char *end;
	long pid = strtol(text, &end, 10);
	struct search s = {.cells = c, .pid = (pid_t)pid};

	if (*end || pid < 1 || pid > INT32_MAX || strlen(text) > 10) {
		err_set(e, "inspect: '%s' is no process id", see_q(text));
		return NULL;
	}
	for (size_t i = 0; i < c->ncells; i++) {
		s.cell = &c->cells[i];
		cells_groups(c, s.cell, 0, look_for_pid, &s);
		if (s.found)
			return s.cell;
	}
	err_set(e, "inspect: process %ld is in no cell; 'sandbox ps' shows them", pid);
	return NULL;
}

static const struct cells_cell *cell_of_name(const struct cells *c, const char *text, struct err *e)
{
	const struct cells_cell *hit = NULL;

	for (size_t i = 0; i < c->ncells; i++) {
		const struct cells_cell *cell = &c->cells[i];
		char whole[128];

		snprintf(whole, sizeof(whole), "%s/%s", c->instances[cell->instance].name,
			 cell->name);
		if (strcmp(text, cell->name) != 0 && strcmp(text, whole) != 0)
			continue;
		if (hit) {
			err_set(e,
				"inspect: several instances have a cell '%s'; name one of them: "
				"%s/%s or %s",
				see_q(text), c->instances[hit->instance].name, see_q(hit->name),
				see_q(whole));
			return NULL;
		}
		hit = cell;
	}
	if (!hit)
		err_set(e, "inspect: there is no cell '%.60s'; 'sandbox ps' shows them",
			see_q(text));
	return hit;
}

/* Whoever starts the cell is on the host's side of every namespace; without root, we are. */
static json_t *host_namespaces(pid_t keeper)
{
	AUTO_CLOSE int process = cells_process(keeper > 0 ? keeper : getpid());
	json_t *all = inspect_namespaces(process);

	if (!json_is_null(json_object_get(all, "mnt")))
		return all;
	json_decref(all);
	AUTO_CLOSE int self = cells_process(getpid());

	return inspect_namespaces(self);
}

/* Of the first task that has become a program; NULL if there is none. */
static const json_t *program_namespaces(const json_t *tasks)
{
	const json_t *task;
	size_t i;

	json_array_foreach(tasks, i, task)
	{
		const char *role = json_string_value(json_object_get(task, "role"));

		if (role && strcmp(role, "program") == 0)
			return json_object_get(task, "namespaces");
	}
	return NULL;
}

/* Whether init's is another than the host's; null where one of them cannot be seen. */
static json_t *is_own(const json_t *init, const json_t *host)
{
	if (!json_is_integer(init) || !json_is_integer(host))
		return json_null();
	return json_boolean(!json_equal(init, host));
}

/* Of each kind: the host's, init's, and the program's. */
static json_t *namespaces(const struct cells_cell *cell, int init, const json_t *tasks)
{
	json_t *host = host_namespaces(cell->keeper);
	json_t *of_init = inspect_namespaces(init);
	const json_t *of_program = program_namespaces(tasks);
	json_t *list = json_array();
	const char *kind;
	json_t *inode;

	json_object_foreach(host, kind, inode)
	{
		json_t *in = json_object_get(of_init, kind);
		json_t *program = json_object_get(of_program, kind);

		(void)json_array_append_new(
			list, json_pack("{s:s, s:O, s:O, s:O?, s:o}", "kind", kind, "host", inode,
					"init", in, "program", program, "own", is_own(in, inode)));
	}
	json_decref(host);
	json_decref(of_init);
	return list;
}

struct gathering {
	const struct cells *cells;
	const struct cells_cell *cell;
	int init;
	json_t *tasks;
};

static void add_processes(void *arg, const char *group)
{
	struct gathering *g = arg;
	size_t n = 0;
	AUTO_CLOSE int dir = cells_open(g->cells, g->cell, 0, group);
	AUTO_FREE pid_t *pids = dir < 0 ? NULL : cells_pids(dir, "cgroup.procs", &n);

	for (size_t i = 0; i < n; i++) {
		json_t *process = inspect_process(pids[i], g->init);

		if (!process)
			continue;
		if (pids[i] == g->cell->init)
			(void)json_array_insert_new(g->tasks, 0, process);
		else
			(void)json_array_append_new(g->tasks, process);
	}
}

static json_t *cell_json(const struct cells *c, const struct cells_cell *cell)
{
	const struct cells_instance *in = &c->instances[cell->instance];
	AUTO_CLOSE int init = cell->init > 0 ? cells_process(cell->init) : -1;
	struct gathering g = {.cells = c, .cell = cell, .init = init, .tasks = json_array()};
	char setgroups[16];
	json_t *all;

	cells_groups(c, cell, 0, add_processes, &g);
	all = json_pack("{s:s, s:o, s:s, s:o, s:o, s:i, s:b}", "instance", in->name, "cell",
			see_json(cell->name), "state", cells_state_name(cell->state), "init_pid",
			see_number(cell->init > 0 ? cell->init : -1), "keeper_pid",
			see_number(cell->keeper > 0 ? cell->keeper : -1), "cgroup_version",
			in->version, "complete", geteuid() == 0);
	(void)json_object_set_new(all, "namespaces", namespaces(cell, init, g.tasks));
	(void)json_object_set_new(all, "tasks", g.tasks);
	(void)json_object_set_new(all, "groups", inspect_groups(c, cell));
	if (init < 0)
		return all;
	(void)see_read(init, "setgroups", setgroups, sizeof(setgroups));
	setgroups[strcspn(setgroups, "\n")] = '\0';
	(void)json_object_set_new(all, "uid_map", inspect_id_map(init, "uid_map"));
	(void)json_object_set_new(all, "gid_map", inspect_id_map(init, "gid_map"));
	(void)json_object_set_new(all, "setgroups", see_json(setgroups));
	(void)json_object_set_new(all, "mounts", inspect_mounts(init));
	(void)json_object_set_new(all, "network", inspect_network(init));
	return all;
}

static int show(const struct cells *c, const struct see_options *o, struct err *e)
{
	const struct cells_cell *cell = isdigit((unsigned char)o->argument[0])
						? cell_of_pid(c, o->argument, e)
						: cell_of_name(c, o->argument, e);
	int status = SEE_OK;

	if (!cell)
		return -1;
	json_t *all = cell_json(c, cell);

	if (o->json)
		status = see_dump(all);
	else
		inspect_print(all);
	json_decref(all);
	return status;
}

int inspect_command(int argc, char **argv)
{
	struct see_options o;
	struct cells c = {0};
	struct err e = {0};
	int status;

	if (see_options(&o, argc, argv, 0, "CELL or PID", &e) < 0) {
		fprintf(stderr, "sandbox: %s\n", e.msg);
		return SEE_USAGE;
	}
	if (o.help) {
		fputs(usage, stdout);
		return SEE_OK;
	}
	status = cells_find(&c, &e) < 0 ? -1 : show(&c, &o, &e);
	if (status < 0) {
		fprintf(stderr, "sandbox: %s\n", e.msg);
		status = SEE_FAILED;
	}
	cells_release(&c);
	return status;
}
