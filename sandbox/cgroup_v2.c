#include "sandbox/cgroup_v2.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/cgroup_devices.h"
#include "sandbox/cgroup_dir.h"

#define SELF "self" /* the leaf this process is moved to, see v2_prepare() */

/* What a cgroup may have switched on for its children; cpuacct is part of every cgroup and not listed. */
static const enum cgroup_controller switched[] = {CGROUP_MEMORY, CGROUP_PIDS, CGROUP_CPU,
						  CGROUP_CPUSET};

unsigned cgroup_v2_listed(int dir, const char *file)
{
	char text[512];
	struct err ignored;
	unsigned set = 0;

	if (cgroup_dir_read(dir, file, text, sizeof(text), &ignored) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(switched); i++)
		if (cgroup_dir_word(text, cgroup_controller_name(switched[i])))
			set |= 1U << switched[i];
	return set;
}

int cgroup_v2_enable(int dir, unsigned controllers, struct err *e)
{
	unsigned on = cgroup_v2_listed(dir, "cgroup.subtree_control");
	char text[32];

	for (size_t i = 0; i < ARRAY_LEN(switched); i++) {
		if (!(controllers & 1U << switched[i]) || (on & 1U << switched[i]))
			continue;
		snprintf(text, sizeof(text), "+%s", cgroup_controller_name(switched[i]));
		if (cgroup_dir_write(dir, "cgroup.subtree_control", text, e) < 0)
			return -1;
	}
	return 0;
}

static int disable_all(int dir, struct err *e)
{
	unsigned on = cgroup_v2_listed(dir, "cgroup.subtree_control");
	char text[32];

	for (size_t i = 0; i < ARRAY_LEN(switched); i++) {
		if (!(on & 1U << switched[i]))
			continue;
		snprintf(text, sizeof(text), "-%s", cgroup_controller_name(switched[i]));
		if (cgroup_dir_write(dir, "cgroup.subtree_control", text, e) < 0)
			return -1;
	}
	return 0;
}

/* A controller that may be missing: without it only the runs that ask for it are refused. */
static void enable_optional(struct cgroup_host *h, enum cgroup_controller c, char *why, size_t size)
{
	struct cgroup_tree *t = &h->trees[0];
	struct err e;

	if (!(h->controllers & 1U << c))
		err_set(&e, "the controller is not delegated to %.100s", t->path);
	else if (cgroup_v2_enable(t->parent, 1U << c, &e) == 0 &&
		 cgroup_v2_enable(t->dir, 1U << c, &e) == 0)
		return;
	h->controllers &= ~(1U << c);
	snprintf(why, size, "%.150s", e.msg);
}

static int move_self(int dir, struct err *e)
{
	AUTO_CLOSE int self = cgroup_dir_make(dir, SELF, e);

	return self < 0 ? -1 : cgroup_dir_write(self, "cgroup.procs", "0", e);
}

/* Only root may load it; rootless cells go without, and say so. */
static void prepare_devices(struct cgroup_host *h)
{
	struct err why;

	h->devices_program = cgroup_devices_load(&why);
	if (h->devices_program >= 0)
		h->controllers |= 1U << CGROUP_DEVICES;
	else
		snprintf(h->why_not_devices, sizeof(h->why_not_devices), "%.150s", why.msg);
}

static int v2_prepare(struct cgroup_host *h, struct err *e)
{
	struct cgroup_tree *t = &h->trees[0];

	if (h->moved && move_self(t->dir, e) < 0) {
		h->moved = false;
		return -1;
	}
	if (cgroup_v2_enable(t->parent, CGROUP_V2_BASICS, e) < 0 ||
	    cgroup_v2_enable(t->dir, CGROUP_V2_BASICS, e) < 0)
		return -1;
	enable_optional(h, CGROUP_CPU, h->why_not_cpu, sizeof(h->why_not_cpu));
	enable_optional(h, CGROUP_CPUSET, h->why_not_cpuset, sizeof(h->why_not_cpuset));
	prepare_devices(h);
	return 0;
}

/* Only after a move: what was switched on elsewhere may serve another instance. */
static int v2_undo(struct cgroup_host *h, struct err *e)
{
	struct cgroup_tree *t = &h->trees[0];

	if (!h->moved || t->dir < 0)
		return 0;
	if (disable_all(t->dir, e) < 0 || disable_all(t->parent, e) < 0 ||
	    cgroup_dir_write(t->parent, "cgroup.procs", "0", e) < 0)
		return -1;
	h->moved = false;
	return 0;
}

static int v2_branch(const struct cgroup_host *h, int tree, int parent, int dir, struct err *e)
{
	(void)tree;
	(void)parent;
	if (h->devices_program >= 0 && cgroup_devices_attach(dir, h->devices_program, e) < 0)
		return -1;
	return cgroup_v2_enable(dir, h->controllers, e);
}

static bool v2_needs(const struct cgroup_host *h, int tree, const struct cgroup_limits *l)
{
	(void)h;
	(void)tree;
	(void)l;
	return true;
}

static int limit_memory(int dir, uint64_t bytes, struct err *e)
{
	if (cgroup_set_limit(dir, "memory.max", bytes, e) < 0 ||
	    cgroup_set_limit(dir, "memory.oom.group", 1, e) < 0)
		return -1;
	if (!cgroup_dir_has(dir, "memory.swap.max"))
		return cgroup_no_swap("memory.swap.max (boot with swapaccount=1)", e);
	return cgroup_set_limit(dir, "memory.swap.max", 0, e);
}

static int limit_cpu(int dir, uint32_t cpu_milli, struct err *e)
{
	uint64_t period_us = cgroup_cpu_period_us(cpu_milli);
	char want[64];
	char got[64];

	snprintf(want, sizeof(want), "%llu %llu", (unsigned long long)period_us * cpu_milli / 1000,
		 (unsigned long long)period_us);
	if (cgroup_dir_write(dir, "cpu.max", want, e) < 0 ||
	    cgroup_dir_read(dir, "cpu.max", got, sizeof(got), e) < 0)
		return -1;
	if (strcmp(want, got) != 0)
		return err_set(e, "cpu.max became '%s' instead of '%s'", got, want);
	return 0;
}

/* The kernel takes a CPU that is not there and falls back to the parent's, so look at what is in effect. */
static int limit_cpuset(int dir, int cpu, struct err *e)
{
	char text[4096];
	uint64_t got;

	if (cgroup_dir_write_u64(dir, "cpuset.cpus", (uint64_t)cpu, e) < 0 ||
	    cgroup_dir_read(dir, "cpuset.cpus.effective", text, sizeof(text), e) < 0)
		return -1;
	if (!cgroup_dir_number(text, &got) || got != (uint64_t)cpu)
		return err_set(e, "cpuset.cpus.effective became '%.64s' instead of '%d'", text,
			       cpu);
	return 0;
}

static int v2_limit(struct cgroup *cg, struct err *e)
{
	const struct cgroup_limits *l = &cg->limits;
	int dir = cg->dirs[0];

	if (limit_memory(dir, l->memory_bytes, e) < 0 ||
	    cgroup_set_limit(dir, "pids.max", l->processes, e) < 0)
		return -1;
	if (l->cpu_milli > 0 && limit_cpu(dir, l->cpu_milli, e) < 0)
		return -1;
	return l->cpu >= 0 ? limit_cpuset(dir, l->cpu, e) : 0;
}

static int v2_watch(struct cgroup *cg, struct err *e)
{
	static const struct {
		const char *name;
		enum cgroup_file file;
		bool optional;
	} table[] = {
		{"cpu.stat", CGROUP_FILE_CPU, false},
		{"memory.current", CGROUP_FILE_MEMORY, false},
		{"memory.peak", CGROUP_FILE_MEMORY_PEAK, true},
		{"memory.stat", CGROUP_FILE_MEMORY_STAT, false},
		{"pids.current", CGROUP_FILE_PIDS, false},
		{"pids.peak", CGROUP_FILE_PIDS_PEAK, true},
		{"memory.events", CGROUP_FILE_OOM, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		int *fd = &cg->files[table[i].file];

		if (cgroup_dir_file_if_any(cg->dirs[0], table[i].name, fd, e) < 0)
			return -1;
		if (*fd < 0 && !table[i].optional)
			return err_set(e, "the run's cgroup has no %s", table[i].name);
	}
	cg->oom_fd = fcntl(cg->files[CGROUP_FILE_OOM], F_DUPFD_CLOEXEC, 3);
	if (cg->oom_fd < 0)
		return err_sys(e, "duplicate the descriptor of memory.events");
	cg->oom_events = POLLPRI;
	return 0;
}

static int v2_cpu(const struct cgroup *cg, struct cgroup_usage *u, struct err *e)
{
	char text[1024];

	if (cgroup_dir_pread(cg->files[CGROUP_FILE_CPU], text, sizeof(text), e) < 0)
		return -1;
	if (!cgroup_dir_key(text, "usage_usec", &u->cpu_us) ||
	    !cgroup_dir_key(text, "user_usec", &u->user_us))
		return err_set(e, "cpu.stat lacks 'usage_usec' or 'user_usec'");
	/* Not system_usec: each of the three is rounded on its own. */
	if (u->user_us > u->cpu_us)
		u->user_us = u->cpu_us;
	u->system_us = u->cpu_us - u->user_us;
	if (!cgroup_dir_key(text, "throttled_usec", &u->throttled_us))
		u->throttled_us = 0; /* only there with the cpu controller */
	return 0;
}

static int v2_cpu_us(const struct cgroup *cg, uint64_t *us, struct err *e)
{
	struct cgroup_usage u;

	if (v2_cpu(cg, &u, e) < 0)
		return -1;
	*us = u.cpu_us;
	return 0;
}

/* Before 5.18 the kernel does not say "kernel": the sum of its parts. */
static uint64_t kernel_bytes(const char *stat)
{
	static const char *const parts[] = {"kernel_stack", "pagetables", "percpu", "slab",
					    "sec_pagetables"};
	uint64_t sum = 0;
	uint64_t part;

	if (cgroup_dir_key(stat, "kernel", &sum))
		return sum;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (cgroup_dir_key(stat, parts[i], &part))
			sum += part;
	return sum;
}

static int v2_split(const struct cgroup *cg, struct cgroup_split *s, struct err *e)
{
	char text[8192];
	uint64_t file;

	if (cgroup_dir_pread(cg->files[CGROUP_FILE_MEMORY_STAT], text, sizeof(text), e) < 0)
		return -1;
	if (!cgroup_dir_key(text, "anon", &s->anon_bytes) || !cgroup_dir_key(text, "file", &file) ||
	    !cgroup_dir_key(text, "shmem", &s->shmem_bytes))
		return err_set(e, "memory.stat lacks 'anon', 'file' or 'shmem'");
	s->file_bytes = file > s->shmem_bytes ? file - s->shmem_bytes : 0;
	s->kernel_bytes = kernel_bytes(text);
	return 0;
}

static int v2_memory_peak(const struct cgroup *cg, struct cgroup_usage *u, struct err *e)
{
	int fd = cg->files[CGROUP_FILE_MEMORY_PEAK];

	u->memory_peak_sampled = fd < 0;
	if (!u->memory_peak_sampled)
		return cgroup_dir_pread_u64(fd, &u->memory_peak_bytes, e);
	u->memory_peak_bytes = cg->sampled_memory_bytes;
	return 0;
}

static int v2_oom(const struct cgroup *cg, uint64_t *kills, bool *at_limit, struct err *e)
{
	char text[512];
	uint64_t oom;

	/* Read through oom_fd: reading is what makes this very descriptor quiet again. */
	if (cgroup_dir_pread(cg->oom_fd, text, sizeof(text), e) < 0)
		return -1;
	if (!cgroup_dir_key(text, "oom_kill", kills) || !cgroup_dir_key(text, "oom", &oom))
		return err_set(e, "memory.events lacks 'oom' or 'oom_kill'");
	*at_limit = oom > 0;
	return 0;
}

const struct cgroup_ops cgroup_v2_ops = {
	.name = "v2",
	.join = "cgroup.procs",
	.place = cgroup_v2_place,
	.prepare = v2_prepare,
	.undo = v2_undo,
	.branch = v2_branch,
	.needs = v2_needs,
	.limit = v2_limit,
	.watch = v2_watch,
	.cpu_us = v2_cpu_us,
	.cpu = v2_cpu,
	.split = v2_split,
	.memory_peak = v2_memory_peak,
	.oom = v2_oom,
};
