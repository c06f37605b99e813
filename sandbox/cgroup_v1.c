#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/cgroup_devices.h"
#include "sandbox/cgroup_dir.h"
#include "sandbox/cgroup_ops.h"

static int v1_place(struct cgroup_host *h, int root, const struct cgroup_found *f, struct err *e)
{
	for (int i = 0; i < f->n; i++) {
		struct cgroup_tree *t = &h->trees[i];

		snprintf(t->path, sizeof(t->path), "%s", f->places[i].own);
		t->controllers = f->places[i].controllers;
		t->parent = cgroup_open_path(root, t->path, e);
		if (t->parent < 0)
			return -1;
		h->controllers |= t->controllers;
		h->ntrees = i + 1;
	}
	h->hybrid = f->hybrid;
	return 0;
}

/* A new cpuset has neither CPUs nor memory nodes and takes no process: it gets those of its parent. */
static int cpuset_inherit(int parent, int dir, struct err *e)
{
	static const char *const files[][2] = {
		{"cpuset.effective_cpus", "cpuset.cpus"},
		{"cpuset.effective_mems", "cpuset.mems"},
	};
	char text[4096];

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const char *from = files[i][cgroup_dir_has(parent, files[i][0]) ? 0 : 1];

		if (cgroup_dir_read(parent, from, text, sizeof(text), e) < 0 ||
		    cgroup_dir_write(dir, files[i][1], text, e) < 0)
			return -1;
	}
	return 0;
}

/* Kernels before 5.11 count a child's memory in its parent only when told so. */
static int memory_hierarchy(int dir, struct err *e)
{
	uint64_t on = 1;

	if (!cgroup_dir_has(dir, "memory.use_hierarchy"))
		return 0;
	if (cgroup_dir_read_u64(dir, "memory.use_hierarchy", &on, e) < 0)
		return -1;
	return on ? 0 : cgroup_dir_write(dir, "memory.use_hierarchy", "1", e);
}

static int v1_branch(const struct cgroup_host *h, int tree, int parent, int dir, struct err *e)
{
	unsigned controllers = h->trees[tree].controllers;

	if ((controllers & 1U << CGROUP_MEMORY) && memory_hierarchy(dir, e) < 0)
		return -1;
	/* Without the controller in h->controllers its use has been given up: see v1_prepare(). */
	if ((controllers & h->controllers & 1U << CGROUP_CPUSET) &&
	    cpuset_inherit(parent, dir, e) < 0)
		return -1;
	return 0;
}

static void give_up(struct cgroup_host *h, enum cgroup_controller c, char *why, size_t size,
		    const char *reason)
{
	h->controllers &= ~(1U << c);
	snprintf(why, size, "%.150s", reason);
}

static int v1_prepare(struct cgroup_host *h, struct err *e)
{
	static const char missing[] = "no v1 hierarchy with this controller is mounted";
	struct err why;

	if (!(h->controllers & 1U << CGROUP_CPU))
		give_up(h, CGROUP_CPU, h->why_not_cpu, sizeof(h->why_not_cpu), missing);
	if (!(h->controllers & 1U << CGROUP_CPUSET))
		give_up(h, CGROUP_CPUSET, h->why_not_cpuset, sizeof(h->why_not_cpuset), missing);
	if (!(h->controllers & 1U << CGROUP_DEVICES))
		give_up(h, CGROUP_DEVICES, h->why_not_devices, sizeof(h->why_not_devices), missing);
	for (int i = 0; i < h->ntrees; i++) {
		/* Cells inherit the list when they are made. */
		if ((h->trees[i].controllers & 1U << CGROUP_DEVICES) &&
		    cgroup_devices_list(h->trees[i].dir, &why) < 0)
			give_up(h, CGROUP_DEVICES, h->why_not_devices, sizeof(h->why_not_devices),
				why.msg);
		if ((h->trees[i].controllers & 1U << CGROUP_CPUSET) &&
		    cpuset_inherit(h->trees[i].parent, h->trees[i].dir, &why) < 0)
			give_up(h, CGROUP_CPUSET, h->why_not_cpuset, sizeof(h->why_not_cpuset),
				why.msg);
		if ((h->trees[i].controllers & 1U << CGROUP_MEMORY) &&
		    memory_hierarchy(h->trees[i].dir, e) < 0)
			return -1;
	}
	return 0;
}

static int v1_undo(struct cgroup_host *h, struct err *e)
{
	(void)h;
	(void)e;
	return 0;
}

/* Joining a hierarchy costs time, so a run is only in those whose limits it asked for. */
static bool v1_needs(const struct cgroup_host *h, int tree, const struct cgroup_limits *l)
{
	unsigned wanted = 1U << CGROUP_MEMORY | 1U << CGROUP_PIDS | 1U << CGROUP_CPUACCT;

	if (l->cpu_milli > 0)
		wanted |= 1U << CGROUP_CPU;
	if (l->cpu >= 0)
		wanted |= 1U << CGROUP_CPUSET;
	/* Init alone joins this one: its children stay where it is. */
	if (l->memory_bytes == 0)
		wanted |= 1U << CGROUP_DEVICES;
	return (h->trees[tree].controllers & wanted) != 0;
}

static int limit_memory(int dir, uint64_t bytes, struct err *e)
{
	if (cgroup_set_limit(dir, "memory.limit_in_bytes", bytes, e) < 0)
		return -1;
	/* Inherited; were the killer off, a program at its limit would hang instead of dying. */
	if (cgroup_dir_write(dir, "memory.oom_control", "0", e) < 0)
		return -1;
	/* TCP buffers have a counter of their own on v1. */
	if (cgroup_dir_has(dir, "memory.kmem.tcp.limit_in_bytes") &&
	    cgroup_set_limit(dir, "memory.kmem.tcp.limit_in_bytes", bytes, e) < 0)
		return -1;
	if (!cgroup_dir_has(dir, "memory.memsw.limit_in_bytes"))
		return cgroup_no_swap("memory.memsw.limit_in_bytes (boot with swapaccount=1)", e);
	return cgroup_set_limit(dir, "memory.memsw.limit_in_bytes", bytes, e);
}

static int limit_cpu(int dir, uint32_t cpu_milli, struct err *e)
{
	uint64_t period_us = cgroup_cpu_period_us(cpu_milli);

	if (cgroup_set_limit(dir, "cpu.cfs_period_us", period_us, e) < 0)
		return -1;
	return cgroup_set_limit(dir, "cpu.cfs_quota_us", period_us * cpu_milli / 1000, e);
}

static int limit_cpuset(const struct cgroup *cg, struct err *e)
{
	int dir = cgroup_dir_for(cg, CGROUP_CPUSET);
	char text[4096];
	uint64_t got;

	for (int i = 0; i < cg->cell->host->ntrees; i++)
		if (cg->dirs[i] == dir && cpuset_inherit(cg->cell->dirs[i], dir, e) < 0)
			return -1;
	if (cgroup_dir_write_u64(dir, "cpuset.cpus", (uint64_t)cg->limits.cpu, e) < 0 ||
	    cgroup_dir_read(dir, "cpuset.cpus", text, sizeof(text), e) < 0)
		return -1;
	if (!cgroup_dir_number(text, &got) || got != (uint64_t)cg->limits.cpu)
		return err_set(e, "cpuset.cpus became '%.64s' instead of '%d'", text,
			       cg->limits.cpu);
	return 0;
}

static int v1_limit(struct cgroup *cg, struct err *e)
{
	const struct cgroup_limits *l = &cg->limits;

	if (cgroup_set_limit(cgroup_dir_for(cg, CGROUP_PIDS), "pids.max", l->processes, e) < 0 ||
	    limit_memory(cgroup_dir_for(cg, CGROUP_MEMORY), l->memory_bytes, e) < 0)
		return -1;
	if (l->cpu_milli > 0 && limit_cpu(cgroup_dir_for(cg, CGROUP_CPU), l->cpu_milli, e) < 0)
		return -1;
	return l->cpu >= 0 ? limit_cpuset(cg, e) : 0;
}

/* An eventfd that counts the times the limit was reached with nothing left to reclaim (cgroup-v1/memory.rst, 10). */
static int watch_oom(struct cgroup *cg, int memory, struct err *e)
{
	char text[64];
	AUTO_CLOSE int efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (efd < 0)
		return err_sys(e, "eventfd");
	snprintf(text, sizeof(text), "%d %d", efd, cg->files[CGROUP_FILE_OOM]);
	if (cgroup_dir_write(memory, "cgroup.event_control", text, e) < 0)
		return -1;
	cg->oom_fd = fd_steal(&efd);
	cg->oom_events = POLLIN;
	return 0;
}

static int v1_watch(struct cgroup *cg, struct err *e)
{
	static const struct {
		enum cgroup_file file;
		enum cgroup_controller controller;
		const char *name;
		bool optional;
	} table[] = {
		{CGROUP_FILE_CPU, CGROUP_CPUACCT, "cpuacct.usage", false},
		{CGROUP_FILE_CPU_USER, CGROUP_CPUACCT, "cpuacct.usage_user", true},
		{CGROUP_FILE_CPU_SYSTEM, CGROUP_CPUACCT, "cpuacct.usage_sys", true},
		{CGROUP_FILE_THROTTLED, CGROUP_CPU, "cpu.stat", true},
		{CGROUP_FILE_MEMORY, CGROUP_MEMORY, "memory.usage_in_bytes", false},
		{CGROUP_FILE_MEMORY_PEAK, CGROUP_MEMORY, "memory.max_usage_in_bytes", false},
		{CGROUP_FILE_MEMORY_STAT, CGROUP_MEMORY, "memory.stat", false},
		{CGROUP_FILE_KMEM, CGROUP_MEMORY, "memory.kmem.max_usage_in_bytes", true},
		{CGROUP_FILE_PIDS, CGROUP_PIDS, "pids.current", false},
		{CGROUP_FILE_PIDS_PEAK, CGROUP_PIDS, "pids.peak", true},
		{CGROUP_FILE_OOM, CGROUP_MEMORY, "memory.oom_control", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		int dir = cgroup_dir_for(cg, table[i].controller);
		int *fd = &cg->files[table[i].file];

		if (cgroup_dir_file_if_any(dir, table[i].name, fd, e) < 0)
			return -1;
		if (*fd < 0 && !table[i].optional)
			return err_set(e, "the run's cgroup has no %s", table[i].name);
	}
	return watch_oom(cg, cgroup_dir_for(cg, CGROUP_MEMORY), e);
}

static int v1_cpu_us(const struct cgroup *cg, uint64_t *us, struct err *e)
{
	if (cgroup_dir_pread_u64(cg->files[CGROUP_FILE_CPU], us, e) < 0)
		return -1;
	*us /= 1000;
	return 0;
}

/* User and system time in whatever unit the kernel has; only their proportion is used. */
static int cpu_shares(const struct cgroup *cg, uint64_t *user, uint64_t *system_time, struct err *e)
{
	int by_user = cg->files[CGROUP_FILE_CPU_USER];
	int by_system = cg->files[CGROUP_FILE_CPU_SYSTEM];
	char text[256];

	if (by_user >= 0 && by_system >= 0)
		return cgroup_dir_pread_u64(by_user, user, e) < 0
			       ? -1
			       : cgroup_dir_pread_u64(by_system, system_time, e);
	if (cgroup_dir_read(cgroup_dir_for(cg, CGROUP_CPUACCT), "cpuacct.stat", text, sizeof(text),
			    e) < 0)
		return -1;
	if (!cgroup_dir_key(text, "user", user) || !cgroup_dir_key(text, "system", system_time))
		return err_set(e, "cpuacct.stat lacks 'user' or 'system'");
	return 0;
}

static int throttled(int fd, uint64_t *us, struct err *e)
{
	char text[512];

	if (cgroup_dir_pread(fd, text, sizeof(text), e) < 0)
		return -1;
	if (!cgroup_dir_key(text, "throttled_time", us))
		return err_set(e, "cpu.stat lacks 'throttled_time'");
	*us /= 1000;
	return 0;
}

static int v1_cpu(const struct cgroup *cg, struct cgroup_usage *u, struct err *e)
{
	int cpu = cg->files[CGROUP_FILE_THROTTLED];
	uint64_t user = 0;
	uint64_t sys = 0;

	if (cpu_shares(cg, &user, &sys, e) < 0 || v1_cpu_us(cg, &u->cpu_us, e) < 0)
		return -1;
	/* cpuacct.usage is exact, the two parts may be sampled at ticks. */
	double share = user + sys > 0 ? (double)user / (double)(user + sys) : 1;

	u->user_us = (uint64_t)((double)u->cpu_us * share);
	u->system_us = u->cpu_us - u->user_us;
	u->throttled_us = 0;
	return cpu >= 0 ? throttled(cpu, &u->throttled_us, e) : 0;
}

static int v1_split(const struct cgroup *cg, struct cgroup_split *s, struct err *e)
{
	char text[8192];
	uint64_t cache;

	if (cgroup_dir_pread(cg->files[CGROUP_FILE_MEMORY_STAT], text, sizeof(text), e) < 0)
		return -1;
	if (!cgroup_dir_key(text, "rss", &s->anon_bytes) || !cgroup_dir_key(text, "cache", &cache))
		return err_set(e, "memory.stat lacks 'rss' or 'cache'");
	if (!cgroup_dir_key(text, "shmem", &s->shmem_bytes))
		s->shmem_bytes = 0; /* kernels before 4.16: counted as cache alone */
	s->file_bytes = cache > s->shmem_bytes ? cache - s->shmem_bytes : 0;
	s->kernel_bytes = 0;
	if (cg->files[CGROUP_FILE_KMEM] < 0)
		return 0;
	return cgroup_dir_pread_u64(cg->files[CGROUP_FILE_KMEM], &s->kernel_bytes, e);
}

static int v1_memory_peak(const struct cgroup *cg, struct cgroup_usage *u, struct err *e)
{
	u->memory_peak_sampled = false;
	/* The only part with a peak of its own. */
	if (cg->files[CGROUP_FILE_KMEM] >= 0 &&
	    cgroup_dir_pread_u64(cg->files[CGROUP_FILE_KMEM], &u->split.kernel_bytes, e) < 0)
		return -1;
	return cgroup_dir_pread_u64(cg->files[CGROUP_FILE_MEMORY_PEAK], &u->memory_peak_bytes, e);
}

#define NEAR_BYTES (4ULL << 20)

/*
 * Whether usage came near the limit: within a huge page and the charges that CPUs take in advance.  The failcnt files would
 * say it, but stay 0 on newer kernels when the limit is also that of memory and swap together.
 */
static int v1_at_limit(const struct cgroup *cg, bool *at_limit, struct err *e)
{
	uint64_t near =
		cg->limits.memory_bytes / 4 < NEAR_BYTES ? cg->limits.memory_bytes / 4 : NEAR_BYTES;
	struct cgroup_usage u;

	if (v1_memory_peak(cg, &u, e) < 0)
		return -1;
	*at_limit = u.memory_peak_bytes + near >= cg->limits.memory_bytes;
	return 0;
}

static int v1_oom(const struct cgroup *cg, uint64_t *kills, bool *at_limit, struct err *e)
{
	char text[256];
	uint64_t events;

	(void)!read(cg->oom_fd, &events, sizeof(events));
	if (cgroup_dir_pread(cg->files[CGROUP_FILE_OOM], text, sizeof(text), e) < 0)
		return -1;
	if (!cgroup_dir_key(text, "oom_kill", kills))
		return err_set(e, "memory.oom_control lacks 'oom_kill' (kernel before 4.13)");
	*at_limit = false;
	return *kills > 0 ? v1_at_limit(cg, at_limit, e) : 0;
}

const struct cgroup_ops cgroup_v1_ops = {
	.name = "v1",
	.join = "tasks",
	.place = v1_place,
	.prepare = v1_prepare,
	.undo = v1_undo,
	.branch = v1_branch,
	.needs = v1_needs,
	.limit = v1_limit,
	.watch = v1_watch,
	.cpu_us = v1_cpu_us,
	.cpu = v1_cpu,
	.split = v1_split,
	.memory_peak = v1_memory_peak,
	.oom = v1_oom,
};
