/* Tasks: one process and its threads, from /proc. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/cells.h"
#include "sandbox/inspect.h"
#include "sandbox/see.h"

#define STATUS_MAX 8192

/* The kernel escapes newlines and backslashes in the name that stands in status, so no program can forge a line there. */
static int64_t status_number(const char *status, const char *key)
{
	char value[64];
	char *end;

	if (!see_field(status, key, value, sizeof(value)))
		return -1;
	long long n = strtoll(value, &end, 10);

	return end > value ? (int64_t)n : -1;
}

/* "7\t2" → [7, 2] */
static json_t *status_numbers(const char *status, const char *key)
{
	char value[512];
	json_t *list = json_array();

	(void)see_field(status, key, value, sizeof(value));
	for (char *p = value, *end; *p; p = end) {
		long long n = strtoll(p, &end, 10);

		if (end == p)
			break;
		(void)json_array_append_new(list, json_integer(n));
	}
	return list;
}

static json_t *capability_names(uint64_t set)
{
	json_t *names = json_array();

	for (cap_value_t c = 0; c < 64; c++) {
		char *name = set & 1ULL << c ? cap_to_name(c) : NULL;

		if (!name)
			continue;
		(void)json_array_append_new(names, json_string(name));
		cap_free(name);
	}
	return names;
}

static json_t *capabilities(const char *status)
{
	static const char *const sets[][2] = {{"CapInh", "inheritable"},
					      {"CapPrm", "permitted"},
					      {"CapEff", "effective"},
					      {"CapBnd", "bounding"},
					      {"CapAmb", "ambient"}};
	json_t *all = json_object();
	char hex[32];

	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		(void)json_object_set_new(all, sets[i][1],
					  see_field(status, sets[i][0], hex, sizeof(hex))
						  ? capability_names(strtoull(hex, NULL, 16))
						  : json_null());
	return all;
}

static const char *seccomp_mode(const char *status)
{
	static const char *const modes[] = {"off", "strict", "filter"};
	int64_t mode = status_number(status, "Seccomp");

	return mode >= 0 && mode < (int64_t)ARRAY_LEN(modes) ? modes[mode] : "unknown";
}

/* "gid" etc. as host and inside; what the user namespace has no name for is null inside. */
static json_t *identity(const char *status, const char *key, const json_t *map)
{
	int64_t host = status_number(status, key);
	json_t *inside = NULL;
	const json_t *line;
	size_t i;

	json_array_foreach(map, i, line)
	{
		json_int_t first = json_integer_value(json_object_get(line, "host"));
		json_int_t count = json_integer_value(json_object_get(line, "count"));

		if (!inside && host >= first && host - first < count)
			inside = json_integer(json_integer_value(json_object_get(line, "inside")) +
					      host - first);
	}
	return json_pack("{s:o, s:o}", "host", see_number(host), "inside",
			 inside ? inside : json_null());
}

json_t *inspect_id_map(int process, const char *file)
{
	json_t *map = json_array();
	AUTO_FREE char *text = see_read_all(process, file);

	for (char *p = text; p && *p;) {
		long long n[3] = {0};
		char *end = p;

		for (size_t i = 0; i < ARRAY_LEN(n); i++)
			n[i] = strtoll(end, &end, 10);
		(void)json_array_append_new(map, json_pack("{s:I, s:I, s:I}", "inside", n[0],
							   "host", n[1], "count", n[2]));
		p = end + strcspn(end, "\n");
		p += *p == '\n';
	}
	return map;
}

json_t *inspect_namespaces(int process)
{
	static const char *const kinds[] = {"user", "pid", "mnt",    "net",
					    "ipc",  "uts", "cgroup", "time"};
	json_t *all = json_object();

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		char path[32];
		struct stat st;

		snprintf(path, sizeof(path), "ns/%s", kinds[i]);
		(void)json_object_set_new(all, kinds[i],
					  process >= 0 && fstatat(process, path, &st, 0) == 0
						  ? json_integer((json_int_t)st.st_ino)
						  : json_null());
	}
	return all;
}

/* A column of a line of len letters, without the blanks behind. */
static void cut_column(const char *line, size_t len, size_t from, size_t width, char *out,
		       size_t size)
{
	size_t n;

	from = from < len ? from : len;
	n = width < len - from ? width : len - from;
	while (n > 0 && line[from + n - 1] == ' ')
		n--;
	snprintf(out, size, "%.*s", (int)n, line + from);
}

/* "Max open files            256                  256                  files     ": columns of 26, 21, 21 and 10 letters. */
json_t *inspect_rlimits(int process)
{
	json_t *all = json_object();
	AUTO_FREE char *text = see_read_all(process, "limits");
	const char *line = text ? strchr(text, '\n') : NULL; /* behind the heading */

	for (; line && line[1]; line = strchr(line + 1, '\n')) {
		size_t len = strcspn(line + 1, "\n");
		char name[32], soft[32], hard[32], unit[32];

		cut_column(line + 1, len, 0, 25, name, sizeof(name));
		cut_column(line + 1, len, 26, 20, soft, sizeof(soft));
		cut_column(line + 1, len, 47, 20, hard, sizeof(hard));
		cut_column(line + 1, len, 68, 10, unit, sizeof(unit));
		(void)json_object_set_new(
			all, name,
			json_pack("{s:s, s:s, s:s}", "soft", soft, "hard", hard, "unit", unit));
	}
	return all;
}

/* Where the task is: [{"controllers": "pids", "path": "/gavel-…/a/1"}], as /proc/PID/cgroup has it. */
static json_t *groups_of(int task)
{
	json_t *list = json_array();
	AUTO_FREE char *text = see_read_all(task, "cgroup");

	for (char *line = text, *end; line && *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		char *names = strchr(line, ':');
		char *path = names ? strchr(names + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		(void)json_array_append_new(list,
					    json_pack("{s:o, s:o}", "controllers",
						      see_json(names + 1), "path", see_json(path)));
	}
	return list;
}

static json_t *exe_of(int process)
{
	char path[PATH_MAX];

	return see_link(process, "exe", path, sizeof(path)) < 0 ? json_null() : see_json(path);
}

static json_t *name_of(int task)
{
	char comm[64];
	ssize_t n = see_read(task, "comm", comm, sizeof(comm));

	if (n <= 0)
		return json_null();
	comm[n - 1] = '\0'; /* the kernel's newline; those before it are the program's */
	return see_json(comm);
}

/* What a thread has on its own. */
static json_t *task_json(int task, const char *status)
{
	char state[64];

	(void)see_field(status, "State", state, sizeof(state));
	return json_pack("{s:o, s:o, s:o, s:s, s:o, s:s, s:o, s:b, s:o}", "pid",
			 see_number(status_number(status, "Pid")), "pids",
			 status_numbers(status, "NSpid"), "name", name_of(task), "state", state,
			 "capabilities", capabilities(status), "seccomp", seccomp_mode(status),
			 "seccomp_filters", see_number(status_number(status, "Seccomp_filters")),
			 "no_new_privs", status_number(status, "NoNewPrivs") == 1, "cgroups",
			 groups_of(task));
}

/* The threads beside the first. */
static json_t *threads_of(int process, pid_t pid)
{
	json_t *list = json_array();
	int fd = openat(process, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char status[STATUS_MAX];

	if (!dir) {
		if (fd >= 0)
			(void)close(fd);
		return list;
	}
	for (struct dirent *d = readdir(dir); d;
	     d = readdir(dir)) { /* NOLINT(concurrency-mt-unsafe) */
		long tid = strtol(d->d_name, NULL, 10);
		AUTO_CLOSE int task =
			tid > 0 && tid != pid
				? openat(fd, d->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
				: -1;

		if (task >= 0 && see_read(task, "status", status, sizeof(status)) > 0)
			(void)json_array_append_new(list, task_json(task, status));
	}
	(void)closedir(dir);
	return list;
}

/* A copy of init that waits in its run's cgroup is "parked"; null where that cannot be seen. */
static json_t *role(int process, int init, const char *status)
{
	char text[256];
	const char *last =
		see_field(status, "NSpid", text, sizeof(text)) ? strrchr(text, '\t') : NULL;

	if (last && strcmp(last + 1, "1") == 0)
		return json_string("init");
	int parked = cells_parked(process, init);

	return parked < 0 ? json_null() : json_string(parked ? "parked" : "program");
}

json_t *inspect_process(pid_t pid, int init)
{
	char status[STATUS_MAX];
	AUTO_CLOSE int process = cells_process(pid);
	json_t *p;

	if (process < 0 || see_read(process, "status", status, sizeof(status)) <= 0)
		return NULL;
	p = task_json(process, status);
	json_t *uid_map = inspect_id_map(process, "uid_map");
	json_t *gid_map = inspect_id_map(process, "gid_map");

	(void)json_object_set_new(p, "role", role(process, init, status));
	(void)json_object_set_new(p, "parent", see_number(status_number(status, "PPid")));
	(void)json_object_set_new(p, "exe", exe_of(process));
	(void)json_object_set_new(p, "uid", identity(status, "Uid", uid_map));
	(void)json_object_set_new(p, "gid", identity(status, "Gid", gid_map));
	(void)json_object_set_new(p, "supplementary_groups", status_numbers(status, "Groups"));
	(void)json_object_set_new(p, "namespaces", inspect_namespaces(process));
	(void)json_object_set_new(p, "resource_limits", inspect_rlimits(process));
	(void)json_object_set_new(p, "threads", threads_of(process, pid));
	json_decref(uid_map);
	json_decref(gid_map);
	return p;
}
