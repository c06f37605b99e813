/* Groups: the cgroups of a cell in every hierarchy, who is in them, what they may use and what they have used. */
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/cells.h"
#include "sandbox/cgroup_dir.h"
#include "sandbox/cgroup_ops.h"
#include "sandbox/inspect.h"
#include "sandbox/see.h"

#define GROUPS_MAX  64
#define V1_NO_LIMIT (1LL << 62) /* the largest page-aligned number stands for none */

/* A file that holds one number, in v1 and in v2. */
struct number_file {
	const char *key, *v1, *v2;
	int v1_divide; /* v1 counts nanoseconds */
};

static const struct number_file limit_files[] = {
	{"memory_bytes", "memory.limit_in_bytes", "memory.max", 1},
	{"processes", "pids.max", "pids.max", 1},
};

static const struct number_file use_files[] = {
	{"memory_bytes", "memory.usage_in_bytes", "memory.current", 1},
	{"memory_peak_bytes", "memory.max_usage_in_bytes", "memory.peak", 1},
	{"swap_bytes", NULL, "memory.swap.current", 1},
	{"processes", "pids.current", "pids.current", 1},
	{"processes_peak", "pids.peak", "pids.peak", 1},
	{"cpu_time_us", "cpuacct.usage", NULL, 1000},
};

/* A key in a file of many. */
static const struct {
	const char *key, *file, *word;
	int divide;
} use_words[] = {
	{"cpu_time_us", "cpu.stat", "usage_usec", 1},
	{"throttled_us", "cpu.stat", "throttled_usec", 1},
	{"throttled_us", "cpu.stat", "throttled_time", 1000},
	{"oom_kills", "memory.events", "oom_kill", 1},
	{"oom_kills", "memory.oom_control", "oom_kill", 1},
	{"process_limit_hits", "pids.events", "max", 1},
};

struct names {
	char at[GROUPS_MAX][NAME_MAX + 1];
	size_t n;
};

static void note_name(void *arg, const char *group)
{
	struct names *names = arg;

	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->at[i], group) == 0)
			return;
	if (names->n < GROUPS_MAX)
		snprintf(names->at[names->n++], sizeof(names->at[0]), "%s", group);
}

/* The first hierarchy that knows decides; null only where none does. */
static void set(json_t *o, const char *key, json_t *value)
{
	if (json_is_null(json_object_get(o, key)) || !json_object_get(o, key))
		(void)json_object_set_new(o, key, value);
	else
		json_decref(value);
}

static json_t *limit_or_number(const char *text, int divide)
{
	uint64_t n;

	if (strcmp(text, "max") == 0)
		return json_string("max");
	if (!cgroup_dir_number(text, &n))
		return json_null();
	if (n >= (uint64_t)V1_NO_LIMIT)
		return json_string("max");
	return json_integer((json_int_t)(n / (uint64_t)divide));
}

static void read_numbers(json_t *o, int dir, int version, const struct number_file *files, size_t n)
{
	struct err ignored;
	char text[64];

	for (size_t i = 0; i < n; i++) {
		const char *file = version == 1 ? files[i].v1 : files[i].v2;

		set(o, files[i].key,
		    file && cgroup_dir_has(dir, file) &&
				    cgroup_dir_read(dir, file, text, sizeof(text), &ignored) >= 0
			    ? limit_or_number(text, version == 1 ? files[i].v1_divide : 1)
			    : json_null());
	}
}

static void read_words(json_t *o, int dir)
{
	char text[2048];
	uint64_t n;

	for (size_t i = 0; i < ARRAY_LEN(use_words); i++) {
		if (see_read(dir, use_words[i].file, text, sizeof(text)) > 0 &&
		    cgroup_dir_key(text, use_words[i].word, &n))
			set(o, use_words[i].key,
			    json_integer((json_int_t)(n / (uint64_t)use_words[i].divide)));
		else
			set(o, use_words[i].key, json_null());
	}
}

/* v1 limits memory and swap together; what is left for swap is the difference. */
static void read_swap(json_t *limits, int dir)
{
	struct err ignored;
	uint64_t memory;
	uint64_t both;
	char text[64];

	if (cgroup_dir_has(dir, "memory.memsw.limit_in_bytes") &&
	    cgroup_dir_read_u64(dir, "memory.memsw.limit_in_bytes", &both, &ignored) == 0 &&
	    cgroup_dir_read_u64(dir, "memory.limit_in_bytes", &memory, &ignored) == 0)
		set(limits, "swap_bytes",
		    both >= (uint64_t)V1_NO_LIMIT ? json_string("max")
						  : json_integer((json_int_t)(both - memory)));
	else if (see_read(dir, "memory.swap.max", text, sizeof(text)) > 0) {
		text[strcspn(text, "\n")] = '\0';
		set(limits, "swap_bytes", limit_or_number(text, 1));
	} else
		set(limits, "swap_bytes", json_null());
}

/* Thousandths of a CPU: quota by period, in one file or in two. */
static void read_cpu(json_t *limits, int dir)
{
	char text[128];
	char period[64];
	char *end = text;
	long long quota = 0;
	long long every = 0;
	int found = see_read(dir, "cpu.max", text, sizeof(text)) > 0;

	if (found && strncmp(text, "max", 3) == 0)
		quota = -1;
	else if (found) {
		quota = strtoll(text, &end, 10);
		every = strtoll(end, NULL, 10);
	} else if (see_read(dir, "cpu.cfs_quota_us", text, sizeof(text)) > 0 &&
		   see_read(dir, "cpu.cfs_period_us", period, sizeof(period)) > 0) {
		quota = strtoll(text, NULL, 10);
		every = strtoll(period, NULL, 10);
	}
	set(limits, "cpu_milli",
	    quota < 0 ? json_string("max")
		      : (every > 0 ? json_integer(quota * 1000 / every) : json_null()));
}

static void read_cpus(json_t *limits, int dir)
{
	static const char *const files[] = {"cpuset.cpus.effective", "cpuset.effective_cpus",
					    "cpuset.cpus"};
	char text[512];

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (see_read(dir, files[i], text, sizeof(text)) <= 0)
			continue;
		text[strcspn(text, "\n")] = '\0';
		set(limits, "cpus", json_string(text));
		return;
	}
	set(limits, "cpus", json_null());
}

static json_t *tasks_json(int dir)
{
	json_t *list = json_array();
	size_t n;
	AUTO_FREE pid_t *pids = cells_pids(
		dir, cgroup_dir_has(dir, "cgroup.threads") ? "cgroup.threads" : "tasks", &n);

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_integer(pids[i]));
	return list;
}

static json_t *controllers_json(const struct cells_instance *in, int tree)
{
	json_t *list = json_array();

	for (int c = 0; in->version == 1 && c < CGROUP_CONTROLLERS; c++)
		if (in->trees[tree].controllers & 1U << c)
			(void)json_array_append_new(list, json_string(cgroup_controller_name(
								  (enum cgroup_controller)c)));
	return list;
}

static json_t *group_json(const struct cells *c, const struct cells_cell *cell, const char *name)
{
	const struct cells_instance *in = &c->instances[cell->instance];
	json_t *hierarchies = json_array();
	json_t *limits = json_object();
	json_t *use = json_object();

	for (int i = 0; i < in->ntrees; i++) {
		char path[PATH_MAX];
		AUTO_CLOSE int dir = cells_open(c, cell, i, name);

		if (dir < 0)
			continue;
		cgroup_dir_path(dir, "", path, sizeof(path));
		path[strcspn(path, "\n")] = '\0';
		if (*path && path[strlen(path) - 1] == '/')
			path[strlen(path) - 1] = '\0';
		(void)json_array_append_new(hierarchies,
					    json_pack("{s:o, s:o, s:o}", "controllers",
						      controllers_json(in, i), "path",
						      see_json(path), "tasks", tasks_json(dir)));
		read_numbers(limits, dir, in->version, limit_files, ARRAY_LEN(limit_files));
		read_swap(limits, dir);
		read_cpu(limits, dir);
		read_cpus(limits, dir);
		read_numbers(use, dir, in->version, use_files, ARRAY_LEN(use_files));
		read_words(use, dir);
	}
	return json_pack("{s:o, s:o, s:o, s:o}", "name", see_json(*name ? name : "."),
			 "hierarchies", hierarchies, "limits", limits, "use", use);
}

json_t *inspect_groups(const struct cells *c, const struct cells_cell *cell)
{
	json_t *list = json_array();
	struct names names = {.at = {"", "init"}, .n = 2}; /* "": the cell's own */

	for (int i = 0; i < c->instances[cell->instance].ntrees; i++)
		cells_groups(c, cell, i, note_name, &names);
	for (size_t i = 0; i < names.n; i++)
		(void)json_array_append_new(list, group_json(c, cell, names.at[i]));
	return list;
}
