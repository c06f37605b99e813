/* What ps and inspect find out, of a real cell in this process's hands. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/cells.h"
#include "sandbox/inspect.h"
#include "sandbox/rights.h"
#include "sandbox/see.h"
#include "tests/cell_fixture.h"

#define HOSTILE "e\033[2J\nx\\"

/* A program of that name that lives until its input ends. */
#define HOSTILE_SCRIPT "f=$(printf 'e\\033[2J\\nx\\\\'); cp /bin/cat \"$f\"; exec \"./$f\""

Test(see, quotes_for_a_terminal)
{
	char longer[2000];

	cr_expect_str_eq(see_q("plain /a-b_c"), "plain /a-b_c");
	cr_expect_str_eq(see_q("\033[31m\r\n\t\x7f"), "\\x1b[31m\\x0d\\x0a\\x09\\x7f");
	cr_expect_str_eq(see_q("\\x1b"), "\\\\x1b"); /* what looks like ours is not */
	cr_expect_str_eq(see_q("\xe2\x80\xae\x9b"), "\\xe2\\x80\\xae\\x9b");
	memset(longer, '\n', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	cr_expect_lt(strlen(see_q(longer)), 512);
	cr_expect(strstr(see_q(longer), "..."));
}

Test(see, json_of_any_bytes)
{
	json_t *t = see_json("a\xff\033\n\"\xc3\xa4");

	cr_expect_str_eq(json_string_value(t), "a?\033\n\"\xc3\xa4");
	json_decref(t);
	t = see_number(-1);
	cr_expect(json_is_null(t));
	json_decref(t);
}

Test(see, numbers)
{
	cr_expect_str_eq(see_bytes(-1), "-");
	cr_expect_str_eq(see_bytes(0), "0B");
	cr_expect_str_eq(see_bytes(1536), "1.5K");
	cr_expect_str_eq(see_bytes(256LL << 20), "256M");
	cr_expect_str_eq(see_bytes(INT64_MAX), "8.0E");
	cr_expect_str_eq(see_time(-5), "-");
	cr_expect_str_eq(see_time(1500), "1.5ms");
	cr_expect_str_eq(see_time(61000000), "61.00s");
}

Test(see, fields)
{
	static const char status[] = "Name:\tx y\nPid:\t7\nNSpid:\t7\t1\nEmpty:\n";
	char value[8];

	cr_expect_str_eq(see_field(status, "Name", value, sizeof(value)), "x y");
	cr_expect_str_eq(see_field(status, "Pid", value, sizeof(value)), "7");
	cr_expect_str_eq(see_field(status, "NSpid", value, sizeof(value)), "7\t1");
	cr_expect_str_eq(see_field(status, "Empty", value, sizeof(value)), "");
	cr_expect_null(see_field(status, "id", value, sizeof(value)));
}

Test(see, options)
{
	struct see_options o;
	struct err e = {0};
	char *both[] = {(char *)"doctor", (char *)"--json", (char *)"--rules", (char *)"r"};
	char *cell[] = {(char *)"inspect", (char *)"a/b", (char *)"c"};

	cr_expect_eq(see_options(&o, 4, both, 1, NULL, &e), 0, "%s", e.msg);
	cr_expect(o.json && strcmp(o.rules, "r") == 0);
	cr_expect_lt(see_options(&o, 4, both, 0, NULL, &e), 0);
	cr_expect(strstr(e.msg, "--rules"), "%s", e.msg);
	cr_expect_lt(see_options(&o, 3, both, 1, NULL, &e), 0);
	cr_expect(strstr(e.msg, "needs a folder"), "%s", e.msg);
	cr_expect_eq(see_options(&o, 2, cell, 0, "CELL", &e), 0);
	cr_expect_str_eq(o.argument, "a/b");
	cr_expect_lt(see_options(&o, 3, cell, 0, "CELL", &e), 0);
	cr_expect_lt(see_options(&o, 1, cell, 0, "CELL", &e), 0);
	cr_expect(strstr(e.msg, "CELL is missing"), "%s", e.msg);
}

static const struct cells_cell *mine(const struct cells *c, const struct fixture *f,
				     const char *name)
{
	for (size_t i = 0; i < c->ncells; i++)
		if (strcmp(c->instances[c->cells[i].instance].name, f->cgroups.name) == 0 &&
		    strcmp(c->cells[i].name, name) == 0)
			return &c->cells[i];
	return NULL;
}

Test(cells, finds_what_we_opened, .timeout = 60)
{
	struct fixture f;
	struct cells c;
	struct err e = {0};
	const struct cells_cell *cell;

	fixture_open(&f, NULL);
	cr_assert_eq(cells_find(&c, &e), 0, "%s", e.msg);
	cell = mine(&c, &f, "test");
	cr_assert_not_null(cell);
	const struct cells_instance *in = &c.instances[cell->instance];

	cr_expect_eq(in->master, getpid());
	cr_expect_eq(in->owner, geteuid());
	cr_expect_eq(in->ntrees, f.cgroups.ntrees);
	cr_expect_eq(cell->init, f.cell.init_pid);
	cr_expect_eq(cell->keeper, getpid());
	cr_expect_eq(cell->state, CELLS_SERVING, "%s", cells_state_name(cell->state));
	cr_expect_geq(cell->tasks, 1);
	cr_expect_gt(cell->memory_bytes, 0);
	cr_expect_geq(cell->cpu_us, 0);
	cells_release(&c);
	fixture_close(&f);
	cr_assert_eq(cells_find(&c, &e), 0, "%s", e.msg);
	cr_expect_null(mine(&c, &f, "test"));
	cells_release(&c);
}

/* Anybody who owns a cgroup names its folders. */
Test(cells, hostile_folders, .timeout = 60)
{
	static const char name[] = "a\033[31m\\"; /* the kernel refuses newlines */
	struct fixture f;
	struct cells c;
	struct err e = {0};
	char inside[64];

	fixture_open(&f, NULL);
	snprintf(inside, sizeof(inside), "%s/init", name);
	cr_assert_eq(mkdirat(f.cgroups.trees[0].dir, name, 0755), 0);
	cr_assert_eq(mkdirat(f.cgroups.trees[0].dir, inside, 0755), 0);
	cr_assert_eq(mkdirat(f.cgroups.trees[0].dir, "no-cell", 0755), 0);
	cr_assert_eq(cells_find(&c, &e), 0, "%s", e.msg);
	cr_expect_null(mine(&c, &f, "no-cell"));
	const struct cells_cell *cell = mine(&c, &f, name);

	cr_assert_not_null(cell);
	cr_expect_eq(cell->state, CELLS_STARTING);
	cr_expect_eq(cell->init, 0);
	cells_release(&c);
	fixture_close(&f);
}

/* The processes of all groups. */
struct gathering {
	const struct cells *cells;
	const struct cells_cell *cell;
	json_t *tasks;
	int hostile;
};

static void gather(void *arg, const char *group)
{
	struct gathering *g = arg;
	AUTO_CLOSE int dir = cells_open(g->cells, g->cell, 0, group);
	AUTO_CLOSE int init = cells_process(g->cell->init);
	size_t n = 0;
	AUTO_FREE pid_t *pids = dir < 0 ? NULL : cells_pids(dir, "cgroup.procs", &n);

	for (size_t i = 0; i < n; i++) {
		json_t *p = inspect_process(pids[i], init);
		const char *name = json_string_value(json_object_get(p, "name"));

		g->hostile |= name && strcmp(name, HOSTILE) == 0;
		(void)json_array_append_new(g->tasks, p);
	}
}

/* All tasks of the cell if the hostile one is among them by now; NULL otherwise. */
static json_t *running(const struct cells *c, const struct cells_cell *cell)
{
	struct gathering g = {.cells = c, .cell = cell, .tasks = json_array()};

	cells_groups(c, cell, 0, gather, &g);
	if (g.hostile)
		return g.tasks;
	json_decref(g.tasks);
	return NULL;
}

/* Waits, in a process of its own, until the program runs, and writes what it saw. */
static void watch(const struct fixture *f, int to)
{
	int64_t end = io_monotonic_us() + 40000000;
	AUTO_CLOSE int self = cells_process(getpid());
	struct err e;

	for (; io_monotonic_us() < end; (void)usleep(20000)) {
		struct cells c;
		const struct cells_cell *cell = cells_find(&c, &e) < 0 ? NULL : mine(&c, f, "test");
		json_t *tasks = cell && cell->state == CELLS_RUNNING ? running(&c, cell) : NULL;

		if (!tasks) {
			cells_release(&c);
			continue;
		}
		AUTO_CLOSE int init = cells_process(cell->init);
		json_t *seen = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "tasks", tasks, "groups",
					 inspect_groups(&c, cell), "uid_map",
					 inspect_id_map(init, "uid_map"), "mounts",
					 inspect_mounts(init), "network", inspect_network(init),
					 "host", inspect_namespaces(self));

		(void)json_dumpfd(seen, to, 0);
		json_decref(seen);
		cells_release(&c);
		return;
	}
}

static json_t *member(json_t *list, const char *key, const char *wanted)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) if (strcmp(json_string_value(json_object_get(item, key)),
						     wanted) == 0) return item;
	return NULL;
}

static json_int_t number(json_t *o, const char *a, const char *b)
{
	o = json_object_get(o, a);
	return json_integer_value(b ? json_object_get(o, b) : o);
}

static void expect_namespaces(json_t *seen, json_t *program, json_t *init)
{
	static const char *const kinds[] = {"user", "pid", "mnt", "net", "ipc", "uts", "cgroup"};
	json_t *host = json_object_get(seen, "host");

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		cr_expect_gt(number(program, "namespaces", kinds[i]), 0);
		cr_expect_neq(number(program, "namespaces", kinds[i]),
			      json_integer_value(json_object_get(host, kinds[i])),
			      "%s is the host's", kinds[i]);
	}
	cr_expect_eq(number(program, "namespaces", "user"), number(init, "namespaces", "user"));
	cr_expect_neq(number(program, "namespaces", "ipc"), number(init, "namespaces", "ipc"));
}

static void expect_program(json_t *seen, const struct fixture *f)
{
	json_t *program = member(json_object_get(seen, "tasks"), "name", HOSTILE);
	json_t *init = member(json_object_get(seen, "tasks"), "role", "init");
	json_t *capabilities = json_object_get(program, "capabilities");

	cr_assert_not_null(program);
	cr_assert_not_null(init);
	cr_expect_str_eq(json_string_value(json_object_get(program, "role")), "program");
	cr_expect_eq(number(init, "pid", NULL), f->cell.init_pid);
	json_t *pids = json_object_get(program, "pids");

	cr_expect_eq(json_array_size(pids), 2);
	cr_expect_eq(json_integer_value(json_array_get(pids, 1)), 2);
	cr_expect_eq(number(program, "uid", "inside"), IDS_PROGRAM);
	cr_expect_eq(number(program, "uid", "host"), f->cell.ids.program);
	cr_expect_str_eq(json_string_value(json_object_get(program, "seccomp")), "filter");
	cr_expect(json_is_true(json_object_get(program, "no_new_privs")));
	cr_expect_eq(json_array_size(json_object_get(capabilities, "effective")), 0);
	cr_expect_eq(json_array_size(json_object_get(capabilities, "bounding")), 0);
	expect_namespaces(seen, program, init);
}

static void expect_place(json_t *seen, const struct fixture *f)
{
	json_t *init = member(json_object_get(seen, "groups"), "name", "init");
	json_t *run = NULL;
	json_t *box = member(json_object_get(seen, "mounts"), "point", "/box");
	json_t *usr = member(json_object_get(seen, "mounts"), "point", "/usr");
	json_t *map = json_object_get(seen, "uid_map");

	json_t *group;
	size_t i;

	json_array_foreach(json_object_get(seen, "groups"), i,
			   group) if (number(group, "limits", "memory_bytes") == 64 << 20 &&
				      number(group, "use", "processes") > 0) /* not a spare one */
		run = group;
	cr_assert(init && run && box && usr);
	json_t *tree = json_array_get(json_object_get(init, "hierarchies"), 0);

	cr_expect_eq(json_integer_value(json_array_get(json_object_get(tree, "tasks"), 0)),
		     f->cell.init_pid);
	cr_expect_eq(number(run, "limits", "processes"), 17);
	cr_expect_gt(number(run, "use", "memory_bytes"), 0);
	cr_expect_geq(number(run, "use", "processes"), 1);
	cr_expect_eq(
		strncmp(json_string_value(json_object_get(box, "options")), "rw,nosuid,nodev", 15),
		0);
	cr_expect_eq(
		strncmp(json_string_value(json_object_get(usr, "options")), "ro,nosuid,nodev", 15),
		0);
	cr_expect_eq(json_array_size(map), 2);
	cr_expect_eq(number(json_array_get(map, 0), "host", NULL), f->cell.ids.init);
	cr_expect_eq(number(json_array_get(map, 1), "inside", NULL), IDS_PROGRAM);
	cr_expect_eq(json_array_size(json_object_get(seen, "network")), 1);
}

Test(cells, a_program_that_runs, .timeout = 90)
{
	struct fixture f;
	struct answer a;
	char *argv[3];
	int input[2];
	int status;
	struct err e = {0};
	AUTO_CLOSE int seen_fd = io_memfd(&e);

	fixture_rights();
	if (rights_user() != 0)
		cr_skip_test("needs root: nobody else may look into an init");
	fixture_open(&f, NULL);
	Sandbox__Request rq = fixture_shell(argv, HOSTILE_SCRIPT);

	cr_assert_eq(pipe2(input, O_CLOEXEC), 0);
	pid_t watcher = fork();

	if (watcher == 0) {
		watch(&f, seen_fd);
		_exit(0); /* ends the program's input */
	}
	(void)close(input[1]);
	rq.stdin_pipe = 1;
	rq.memory_bytes = 64 << 20;
	rq.processes = 17;
	fixture_send_fds(&f, &rq, &input[0], 1, &a);
	(void)close(input[0]);
	cr_expect_eq(a.exit_code, 0, "%s%s", a.error, a.err_text);
	cr_assert_eq(waitpid(watcher, &status, 0), watcher);
	cr_assert_eq(lseek(seen_fd, 0, SEEK_SET), 0);
	json_error_t bad;
	json_t *seen = json_loadfd(seen_fd, 0, &bad);

	cr_assert_not_null(seen, "nothing was seen: %s", bad.text);
	expect_program(seen, &f);
	expect_place(seen, &f);
	json_decref(seen);
	fixture_close(&f);
}
