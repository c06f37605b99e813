/* The object of inspect.c for people: sections, none wider than SEE_COLUMNS but for long paths. */
#include <stdarg.h>
#include <sys/capability.h>

#include "proto/scope.h"
#include "sandbox/inspect.h"
#include "sandbox/see.h"

/* Lines that are put together from pieces before they are wrapped; what does not fit ends in "...". */
struct line {
	char text[16384];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *l, const char *fmt, ...)
{
	va_list args;
	size_t room = sizeof(l->text) - l->len;
	int n;

	va_start(args, fmt);
	n = vsnprintf(l->text + l->len, room, fmt, args);
	va_end(args);
	if (n >= 0 && (size_t)n < room) {
		l->len += (size_t)n;
		return;
	}
	memcpy(l->text + sizeof(l->text) - 4, "...", 4);
	l->len = sizeof(l->text) - 1;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? see_q(text) : "-";
}

static int64_t number_of(const json_t *o, const char *key)
{
	const json_t *n = json_object_get(o, key);

	return json_is_integer(n) ? json_integer_value(n) : -1;
}

static void heading(const char *text)
{
	printf("\n%s%s%s\n", see_colours() ? "\033[1m" : "", text, see_colours() ? "\033[0m" : "");
}

static void print_inode(const json_t *row, const char *key, const char *same)
{
	const json_t *inode = json_object_get(row, key);

	if (!json_is_integer(inode))
		printf("%-14s", "-");
	else if (same && json_equal(inode, json_object_get(row, same)))
		printf("= %-12s", same);
	else
		printf("%-14lld", (long long)json_integer_value(inode));
}

static void print_namespaces(const json_t *rows)
{
	const json_t *row;
	size_t i;

	heading("NAMESPACES");
	printf("  %-8s  %-14s%-14s%s\n", "", "HOST", "INIT", "PROGRAM");
	json_array_foreach(rows, i, row)
	{
		printf("  %-8s  ", text_of(row, "kind"));
		print_inode(row, "host", NULL);
		print_inode(row, "init", "host");
		/* Two of the same inode, so the nearer name is the better one. */
		print_inode(
			row, "program",
			json_equal(json_object_get(row, "program"), json_object_get(row, "host"))
				? "host"
				: "init");
		puts(json_is_false(json_object_get(row, "own")) ? "shared with the host" : "own");
	}
}

/* "2" or, of deeper nesting, "2/1": all numbers but the one out here. */
static const char *pid_inside(const json_t *task)
{
	static char text[64];
	const json_t *pids = json_object_get(task, "pids");
	size_t len = 0;

	snprintf(text, sizeof(text), "-");
	for (size_t i = 1; i < json_array_size(pids) && len < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%lld", i > 1 ? "/" : "",
					(long long)json_integer_value(json_array_get(pids, i)));
	return text;
}

static const char *id_text(const json_t *task, const char *key, char *text, size_t size)
{
	const json_t *id = json_object_get(task, key);
	int64_t inside = number_of(id, "inside");

	if (!id)
		snprintf(text, size, "%s", "");
	else if (inside < 0)
		snprintf(text, size, "%lld", (long long)number_of(id, "host"));
	else
		snprintf(text, size, "%lld=%lld", (long long)inside,
			 (long long)number_of(id, "host"));
	return text;
}

static void print_task(const json_t *task, int is_thread)
{
	char uid[64], seccomp[40];
	int64_t filters = number_of(task, "seccomp_filters");

	snprintf(seccomp, sizeof(seccomp), filters > 0 ? "%s:%lld" : "%s", text_of(task, "seccomp"),
		 (long long)filters);
	printf("  %-8lld %-7s %-17s %-8s %-13s %-9s %s\n", (long long)number_of(task, "pid"),
	       pid_inside(task), id_text(task, "uid", uid, sizeof(uid)),
	       is_thread ? "thread" : text_of(task, "role"), text_of(task, "state"), seccomp,
	       text_of(task, "name"));
}

static void print_tasks(const json_t *tasks)
{
	const json_t *task;
	const json_t *thread;
	size_t i;
	size_t k;

	heading("TASKS");
	printf("  %-8s %-7s %-17s %-8s %-13s %-9s %s\n", "PID", "INSIDE", "UID IN=OUT", "ROLE",
	       "STATE", "SECCOMP", "NAME");
	json_array_foreach(tasks, i, task)
	{
		print_task(task, 0);
		json_array_foreach(json_object_get(task, "threads"), k, thread)
			print_task(thread, 1);
	}
	if (json_array_size(tasks) == 0)
		puts("  none");
}

static int has_name(const json_t *set, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach(set, i, item) if (strcmp(json_string_value(item), name) == 0) return 1;
	return 0;
}

/* A set that has most of them is shown by those that it lacks. */
static void put_set(struct line *l, const char *label, const json_t *set)
{
	const json_t *name;
	cap_value_t count = cap_max_bits();
	size_t i;

	put(l, "%s:", label);
	if (!json_is_array(set))
		put(l, " unknown");
	else if (json_array_size(set) == 0)
		put(l, " none");
	else if ((cap_value_t)json_array_size(set) <= count / 2)
		json_array_foreach(set, i, name) put(l, " %s", see_q(json_string_value(name)));
	else {
		put(l, " all%s", (cap_value_t)json_array_size(set) < count ? " but" : "");
		for (cap_value_t c = 0; c < count; c++) {
			char *missing = cap_to_name(c);

			if (missing && !has_name(set, missing))
				put(l, " %s", missing);
			cap_free(missing);
		}
	}
	put(l, "; ");
}

/* One line for all tasks that have the same. */
static void print_capabilities(const json_t *tasks)
{
	static const char *const sets[] = {"effective", "permitted", "inheritable", "ambient",
					   "bounding"};
	static struct line l;
	const json_t *task;
	size_t i;

	heading("CAPABILITIES (of the cell's user namespace)");
	json_array_foreach(tasks, i, task)
	{
		const json_t *capabilities = json_object_get(task, "capabilities");
		size_t k = 0;

		while (k < i && !json_equal(capabilities, json_object_get(json_array_get(tasks, k),
									  "capabilities")))
			k++;
		l.len = 0;
		if (k < i)
			put(&l, "as %lld; ", (long long)number_of(json_array_get(tasks, k), "pid"));
		for (size_t s = 0; k == i && s < ARRAY_LEN(sets); s++)
			put_set(&l, sets[s], json_object_get(capabilities, sets[s]));
		put(&l, "no_new_privs %s",
		    json_is_true(json_object_get(task, "no_new_privs")) ? "yes" : "NO");
		printf("  %-8lld ", (long long)number_of(task, "pid"));
		see_wrap(11, l.text);
	}
}

static void print_map(const json_t *all, const char *key, const char *label)
{
	const json_t *line;
	size_t i;

	printf("  %-4s", label);
	json_array_foreach(json_object_get(all, key), i, line)
	{
		long long inside = number_of(line, "inside");
		long long host = number_of(line, "host");
		long long count = number_of(line, "count");

		if (count == 1)
			printf("%s%lld inside is %lld outside", i ? ", " : "", inside, host);
		else
			printf("%s%lld-%lld inside are %lld-%lld outside", i ? ", " : "", inside,
			       inside + count - 1, host, host + count - 1);
	}
	putchar('\n');
}

/* A number of limits or use; "none" for a limit that is not set. */
static const char *value(const json_t *o, const char *key, const char *(*format)(int64_t))
{
	static char texts[8][32];
	static unsigned next;
	char *text = texts[next++ % ARRAY_LEN(texts)];
	const json_t *n = json_object_get(o, key);

	if (json_is_integer(n) && format)
		snprintf(text, sizeof(texts[0]), "%s", format(json_integer_value(n)));
	else if (json_is_integer(n))
		snprintf(text, sizeof(texts[0]), "%lld", (long long)json_integer_value(n));
	else
		snprintf(text, sizeof(texts[0]), "%s", json_is_string(n) ? "none" : "-");
	return text;
}

static const char *cpus(int64_t milli)
{
	static char text[32];

	snprintf(text, sizeof(text), "%.2f CPUs", (double)milli / 1000);
	return text;
}

static void print_use(const json_t *limits, const json_t *use)
{
	printf("    memory  %s, peak %s, limit %s, swap limit %s; killed for want of it %s\n",
	       value(use, "memory_bytes", see_bytes), value(use, "memory_peak_bytes", see_bytes),
	       value(limits, "memory_bytes", see_bytes), value(limits, "swap_bytes", see_bytes),
	       value(use, "oom_kills", NULL));
	printf("    tasks   %s, peak %s, limit %s\n", value(use, "processes", NULL),
	       value(use, "processes_peak", NULL), value(limits, "processes", NULL));
	printf("    cpu     %s, throttled %s, limit %s, on CPUs %s\n",
	       value(use, "cpu_time_us", see_time), value(use, "throttled_us", see_time),
	       value(limits, "cpu_milli", cpus), text_of(limits, "cpus"));
}

static void put_list(struct line *l, const json_t *list, const char *none)
{
	const json_t *item;
	size_t i;

	if (json_array_size(list) == 0)
		put(l, "%s", none);
	json_array_foreach(list, i, item)
	{
		if (json_is_integer(item))
			put(l, "%s%lld", i ? " " : "", (long long)json_integer_value(item));
		else
			put(l, "%s%s", i ? "," : "", see_q(json_string_value(item)));
	}
}

/* Group → tasks, per hierarchy. */
static void print_groups(const json_t *groups)
{
	static struct line l;
	const json_t *group;
	const json_t *h;
	size_t i;
	size_t k;

	heading("CGROUPS: group -> tasks, limits and use");
	json_array_foreach(groups, i, group)
	{
		printf("  %s\n", strcmp(text_of(group, "name"), ".") == 0 ? "the whole cell"
									  : text_of(group, "name"));
		print_use(json_object_get(group, "limits"), json_object_get(group, "use"));
		json_array_foreach(json_object_get(group, "hierarchies"), k, h)
		{
			l.len = 0;
			put_list(&l, json_object_get(h, "controllers"), "v2");
			printf("    %-8s %s\n%13s", l.text, text_of(h, "path"), "");
			l.len = 0;
			put(&l, "tasks: ");
			put_list(&l, json_object_get(h, "tasks"), "none");
			see_wrap(13, l.text);
		}
	}
}

/* Task → groups: where in the instance it is, the hierarchies with the same answer together. */
static void put_places(struct line *l, const json_t *task, const char *instance)
{
	const json_t *cgroups = json_object_get(task, "cgroups");
	const json_t *g;
	size_t i;

	json_array_foreach(cgroups, i, g)
	{
		const char *path = json_string_value(json_object_get(g, "path"));
		const char *below = path ? strstr(path, instance) : NULL;
		const char *names = text_of(g, "controllers");

		if (below)
			put(l, "%s %s;", *names ? names : "v2", see_q(below + strlen(instance)));
		if (below)
			put(l, " ");
	}
	if (l->len == 0)
		put(l, "in no cgroup of the cell");
	while (l->len > 0 && (l->text[l->len - 1] == ' ' || l->text[l->len - 1] == ';'))
		l->text[--l->len] = '\0';
}

static void print_places(const json_t *tasks, const char *instance)
{
	static struct line l;
	const json_t *task;
	const json_t *thread;
	size_t i;
	size_t k;

	heading("CGROUPS: task -> groups");
	json_array_foreach(tasks, i, task)
	{
		l.len = 0;
		put_places(&l, task, instance);
		printf("  %-8lld ", (long long)number_of(task, "pid"));
		see_wrap(11, l.text);
		json_array_foreach(json_object_get(task, "threads"), k, thread)
		{
			l.len = 0;
			put_places(&l, thread, instance);
			printf("  %-8lld ", (long long)number_of(thread, "pid"));
			see_wrap(11, l.text);
		}
	}
}

/* Those of the first program, or of init where nothing runs. */
static void print_rlimits(const json_t *tasks)
{
	static struct line l;
	const json_t *of = json_array_get(tasks, 0);
	const char *comma = "";
	json_t *limit;
	const json_t *task;
	const char *name;
	size_t i;

	json_array_foreach(tasks, i, task) if (strcmp(text_of(task, "role"), "program") == 0)
	{
		of = task;
		break;
	}
	if (!of)
		return;
	heading("RESOURCE LIMITS");
	l.len = 0;
	put(&l, "of %lld:", (long long)number_of(of, "pid"));
	json_object_foreach(json_object_get(of, "resource_limits"), name, limit)
	{
		const char *soft = text_of(limit, "soft");

		if (strcmp(soft, "unlimited") == 0)
			continue;
		put(&l, "%s %s %s", comma, strncmp(name, "Max ", 4) == 0 ? name + 4 : name, soft);
		comma = ",";
	}
	put(&l, "; all others unlimited");
	printf("  ");
	see_wrap(2, l.text);
}

static void print_mounts(const json_t *mounts)
{
	const json_t *m;
	size_t i;

	heading("MOUNTS");
	if (!json_is_array(mounts))
		puts("  cannot be seen");
	json_array_foreach(mounts, i, m)
	{
		printf("  %-20s %-8s %s", text_of(m, "point"), text_of(m, "type"),
		       text_of(m, "options"));
		if (strcmp(text_of(m, "root"), "/") != 0)
			printf("  from %s", text_of(m, "root"));
		putchar('\n');
	}
}

static void print_network(const json_t *network)
{
	static struct line l;
	const json_t *interface;
	size_t i;

	heading("NETWORK");
	if (!json_is_array(network))
		puts("  cannot be seen");
	else if (json_array_size(network) == 0)
		puts("  no interface");
	json_array_foreach(network, i, interface)
	{
		l.len = 0;
		put_list(&l, json_object_get(interface, "addresses"), "no address");
		printf("  %-12s %-5s received %s, sent %s  %s\n", text_of(interface, "name"),
		       json_is_true(json_object_get(interface, "up")) ? "up" : "down",
		       see_bytes(number_of(interface, "received_bytes")),
		       see_bytes(number_of(interface, "sent_bytes")), l.text);
	}
}

void inspect_print(const json_t *cell)
{
	const json_t *tasks = json_object_get(cell, "tasks");

	printf("%s/%s  %s, init %lld, keeper %lld, cgroup v%lld\n", text_of(cell, "instance"),
	       text_of(cell, "cell"), text_of(cell, "state"),
	       (long long)number_of(cell, "init_pid"), (long long)number_of(cell, "keeper_pid"),
	       (long long)number_of(cell, "cgroup_version"));
	print_namespaces(json_object_get(cell, "namespaces"));
	print_tasks(tasks);
	if (json_object_get(cell, "uid_map")) {
		heading("IDS");
		print_map(cell, "uid_map", "uid");
		print_map(cell, "gid_map", "gid");
		printf("  setgroups %s\n", text_of(cell, "setgroups"));
	}
	print_capabilities(tasks);
	print_groups(json_object_get(cell, "groups"));
	print_places(tasks, json_string_value(json_object_get(cell, "instance")));
	print_rlimits(tasks);
	if (json_object_get(cell, "mounts"))
		print_mounts(json_object_get(cell, "mounts"));
	if (json_object_get(cell, "network"))
		print_network(json_object_get(cell, "network"));
	if (!json_is_true(json_object_get(cell, "complete")))
		puts("\nNot root: what is shown as '-' or unknown cannot be seen by this user.");
}
