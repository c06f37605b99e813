#include "sandbox/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/cgroup_dir.h"
#include "sandbox/cgroup_ops.h"

#define INIT             "init"
#define REMOVE_MS        2000
#define IN_ADVANCE_BYTES (512ULL << 10)

int cgroup_dir_for(const struct cgroup *cg, enum cgroup_controller c)
{
	const struct cgroup_host *h = cg->cell->host;

	for (int i = 0; i < h->ntrees; i++)
		if (h->trees[i].controllers & 1U << c)
			return cg->dirs[i];
	return -1;
}

int cgroup_set_limit(int dir, const char *file, uint64_t value, struct err *e)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t got;

	if (cgroup_dir_set_u64(dir, file, value, &got, e) < 0)
		return -1;
	if (got == value || got == value / page * page)
		return 0;
	return err_set(e, "%s became %llu instead of %llu", file, (unsigned long long)got,
		       (unsigned long long)value);
}

int cgroup_no_swap(const char *missing, struct err *e)
{
	char text[4096];
	AUTO_CLOSE int fd = open("/proc/swaps", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0
				       : err_sys(e, "open /proc/swaps"); /* built without swap */
	if (cgroup_dir_pread(fd, text, sizeof(text), e) < 0)
		return -1;
	if (!strchr(text, '\n')) /* the heading alone */
		return 0;
	return err_set(e, "the machine has swap space and %s is missing to limit it", missing);
}

uint64_t cgroup_cpu_period_us(uint32_t cpu_milli)
{
	/* Short, so that a pause is short too; but a quota of less than 5 ms is lost in the kernel's slices. */
	return cpu_milli < 250 ? 100000 : 20000;
}

static bool name_ok(const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t len = strlen(name);

	return len > 0 && len <= CGROUP_NAME_MAX && strspn(name, letters) == len && *name != '.' &&
	       strcmp(name, INIT) != 0 && !strchr(name, '/');
}

static void close_all(int *fds, int n)
{
	for (int i = 0; i < n; i++) {
		scope_close(&fds[i]);
		fds[i] = -1;
	}
}

static int procs_open(const struct cgroup_host *h, const int *dirs, int *fds, int *nfds,
		      struct err *e)
{
	*nfds = 0;
	for (int i = 0; i < h->ntrees; i++) {
		if (dirs[i] < 0)
			continue;
		fds[*nfds] = cgroup_dir_file(dirs[i], h->ops->join, O_RDWR, e);
		if (fds[*nfds] < 0)
			return -1;
		(*nfds)++;
	}
	return 0;
}

static int cell_init_open(struct cgroup_cell *c, uint32_t processes, struct err *e)
{
	const struct cgroup_host *h = c->host;
	/* A CPU quota may come with any run: init in that hierarchy too keeps joining it cheap. */
	const struct cgroup_limits joins = {.cpu_milli = 1, .cpu = -1};

	for (int i = 0; i < h->ntrees; i++) {
		if (!h->ops->needs(h, i, &joins))
			continue;
		c->init[i] = cgroup_dir_make(c->dirs[i], INIT, e);
		if (c->init[i] < 0)
			return -1;
		if ((h->trees[i].controllers & 1U << CGROUP_PIDS) &&
		    cgroup_set_limit(c->init[i], "pids.max", processes, e) < 0)
			return -1;
	}
	return procs_open(h, c->init, c->procs_fds, &c->nprocs_fds, e);
}

static int cell_folders_open(struct cgroup_cell *c, struct err *e)
{
	const struct cgroup_host *h = c->host;

	for (int i = 0; i < h->ntrees; i++) {
		c->dirs[i] = cgroup_dir_make(h->trees[i].dir, c->name, e);
		if (c->dirs[i] < 0 || h->ops->branch(h, i, h->trees[i].dir, c->dirs[i], e) < 0)
			return -1;
	}
	return 0;
}

int cgroup_cell_open(const struct cgroup_host *h, const char *name, uint32_t init_processes,
		     struct cgroup_cell *c, struct err *e)
{
	struct err ignored;

	*c = (struct cgroup_cell){0};
	if (!name_ok(name))
		return err_set(e, "cgroup: '%.80s' is no name for a cell", name);
	c->host = h;
	snprintf(c->name, sizeof(c->name), "%s", name);
	for (int i = 0; i < CGROUP_TREES; i++)
		c->dirs[i] = c->init[i] = c->procs_fds[i] = -1;
	if (cell_folders_open(c, e) == 0 && cell_init_open(c, init_processes, e) == 0)
		return 0;
	err_wrap(e, "cgroup of cell %s", name);
	(void)cgroup_cell_close(c, &ignored);
	return -1;
}

int cgroup_cell_clear(const struct cgroup_host *h, const char *name, struct err *e)
{
	if (!name_ok(name))
		return err_set(e, "cgroup: '%.80s' is no name for a cell", name);
	for (int i = 0; i < h->ntrees; i++)
		if (cgroup_dir_remove(h->trees[i].dir, name, REMOVE_MS, e) < 0)
			return err_wrap(e, "cgroup of cell %s", name);
	return 0;
}

int cgroup_cell_close(struct cgroup_cell *c, struct err *e)
{
	int rc = 0;

	if (!c->host)
		return 0;
	for (int i = 0; i < c->host->ntrees; i++)
		if (c->dirs[i] >= 0 &&
		    cgroup_dir_remove(c->host->trees[i].dir, c->name, REMOVE_MS, e) < 0)
			rc = err_wrap(e, "cgroup of cell %s", c->name);
	close_all(c->dirs, CGROUP_TREES);
	close_all(c->init, CGROUP_TREES);
	close_all(c->procs_fds, CGROUP_TREES);
	c->host = NULL;
	return rc;
}

static int limits_check(const struct cgroup_host *h, const struct cgroup_limits *l, struct err *e)
{
	if (l->memory_bytes == 0 || l->memory_bytes > INT64_MAX)
		return err_set(e, "memory_bytes %llu: must be 1 to %lld",
			       (unsigned long long)l->memory_bytes, (long long)INT64_MAX);
	if (l->processes == 0)
		return err_set(e, "processes 0: must be at least 1");
	if (l->cpu_milli > 0 && !(h->controllers & 1U << CGROUP_CPU))
		return err_set(e, "cpu_milli %u cannot be enforced: %s", l->cpu_milli,
			       h->why_not_cpu);
	if (l->cpu >= 0 && !(h->controllers & 1U << CGROUP_CPUSET))
		return err_set(e, "cpu %d cannot be enforced: %s", l->cpu, h->why_not_cpuset);
	return 0;
}

static int run_folders_open(struct cgroup *cg, struct err *e)
{
	const struct cgroup_cell *c = cg->cell;

	for (int i = 0; i < c->host->ntrees; i++) {
		if (!c->host->ops->needs(c->host, i, &cg->limits))
			continue;
		cg->dirs[i] = cgroup_dir_make(c->dirs[i], cg->name, e);
		if (cg->dirs[i] < 0)
			return -1;
	}
	return 0;
}

static void run_init(struct cgroup *cg, const struct cgroup_cell *c, const char *name,
		     const struct cgroup_limits *limits)
{
	*cg = (struct cgroup){.cell = c, .limits = *limits, .oom_fd = -1};
	snprintf(cg->name, sizeof(cg->name), "%s", name);
	for (int i = 0; i < CGROUP_TREES; i++)
		cg->dirs[i] = cg->procs_fds[i] = -1;
	for (int i = 0; i < CGROUP_FILES; i++)
		cg->files[i] = -1;
}

int cgroup_open(const struct cgroup_cell *c, const char *name, const struct cgroup_limits *limits,
		struct cgroup *cg, struct err *e)
{
	const struct cgroup_ops *ops = c->host->ops;
	struct err ignored;

	*cg = (struct cgroup){0};
	if (!name_ok(name))
		return err_set(e, "cgroup: '%.80s' is no name for a run", name);
	if (limits_check(c->host, limits, e) < 0)
		return err_wrap(e, "cgroup of run %s", name);
	run_init(cg, c, name, limits);
	if (run_folders_open(cg, e) == 0 && ops->limit(cg, e) == 0 && ops->watch(cg, e) == 0 &&
	    procs_open(c->host, cg->dirs, cg->procs_fds, &cg->nprocs_fds, e) == 0)
		return 0;
	err_wrap(e, "cgroup of run %s", name);
	(void)cgroup_close(cg, &ignored);
	return -1;
}

int cgroup_attach_self(const int *procs_fds, int n)
{
	for (int i = 0; i < n; i++)
		if (syscall(SYS_write, procs_fds[i], "0", 1) != 1)
			return errno;
	return 0;
}

int cgroup_check_joined(const int *procs_fds, int n, struct err *e)
{
	char pid[32];

	for (int i = 0; i < n; i++)
		if (pread(procs_fds[i], pid, sizeof(pid), 0) <= 0)
			return err_set(e, "the process is not in its cgroup");
	return 0;
}

ssize_t cgroup_processes(const struct cgroup *cg, char *text, size_t size)
{
	ssize_t n = -1;

	for (int i = 0; i < CGROUP_TREES; i++) {
		if (cg->dirs[i] < 0)
			continue;
		AUTO_CLOSE int procs = openat(cg->dirs[i], "cgroup.procs", O_RDONLY | O_CLOEXEC);

		n = procs < 0 ? -1 : read(procs, text, size - 1);
		break;
	}
	text[n < 0 ? 0 : n] = '\0';
	return n;
}

int cgroup_cpu_usage_us(const struct cgroup *cg, uint64_t *us, struct err *e)
{
	return cg->cell->host->ops->cpu_us(cg, us, e);
}

int cgroup_threads(const struct cgroup *cg, uint64_t *n, struct err *e)
{
	return cgroup_dir_pread_u64(cg->files[CGROUP_FILE_PIDS], n, e);
}

static void raise_to(uint64_t *peak, uint64_t value)
{
	if (value > *peak)
		*peak = value;
}

static void raise_split(struct cgroup_split *s, const struct cgroup_split *now)
{
	raise_to(&s->anon_bytes, now->anon_bytes);
	raise_to(&s->shmem_bytes, now->shmem_bytes);
	raise_to(&s->file_bytes, now->file_bytes);
	raise_to(&s->kernel_bytes, now->kernel_bytes);
}

static uint64_t without(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

int cgroup_sample(struct cgroup *cg, struct err *e)
{
	const struct cgroup_ops *ops = cg->cell->host->ops;
	struct cgroup_usage u;
	struct cgroup_split now;
	uint64_t memory;
	uint64_t processes;

	if (cgroup_dir_pread_u64(cg->files[CGROUP_FILE_MEMORY], &memory, e) < 0 ||
	    cgroup_dir_pread_u64(cg->files[CGROUP_FILE_PIDS], &processes, e) < 0)
		return -1;
	raise_to(&cg->sampled_memory_bytes, memory);
	/* The peak before the cache: what is read in between must not be taken from it. */
	if (ops->memory_peak(cg, &u, e) < 0 || ops->split(cg, &now, e) < 0)
		return -1;
	raise_split(&cg->split, &now);
	raise_to(&cg->own_peak_bytes, without(u.memory_peak_bytes, now.file_bytes));
	if (processes > cg->sampled_processes)
		cg->sampled_processes = (uint32_t)processes;
	return 0;
}

static int processes_peak(const struct cgroup *cg, struct cgroup_usage *u, struct err *e)
{
	int fd = cg->files[CGROUP_FILE_PIDS_PEAK];
	uint64_t peak;

	u->processes_peak_sampled = fd < 0;
	u->processes_peak = cg->sampled_processes > 0 ? cg->sampled_processes : 1;
	if (u->processes_peak_sampled)
		return 0;
	if (cgroup_dir_pread_u64(fd, &peak, e) < 0)
		return -1;
	u->processes_peak = (uint32_t)peak;
	return 0;
}

/*
 * Takes page cache off the peak: the files that are read are the system's, and whoever reads one first would pay for all that
 * come after.  Cache outlives the processes, so what there is now was all there ever was, unless memory became scarce; samples
 * taken before the rest of it was read keep a program from hiding its peak behind cache that it read later.
 */
static int own_memory(const struct cgroup *cg, struct cgroup_usage *u, struct err *e)
{
	struct cgroup_split now = {0};
	uint64_t left;
	uint64_t others;

	if (cgroup_dir_pread_u64(cg->files[CGROUP_FILE_MEMORY], &left, e) < 0)
		return -1;
	/* Reading the details takes longer than some programs run; what CPUs have charged in advance is no cache. */
	if (left > IN_ADVANCE_BYTES && cg->cell->host->ops->split(cg, &now, e) < 0)
		return -1;
	raise_split(&u->split, &now);
	u->memory_peak_bytes = without(u->memory_peak_bytes, now.file_bytes);
	raise_to(&u->memory_peak_bytes, cg->own_peak_bytes);
	others = u->split.shmem_bytes + u->split.kernel_bytes;
	raise_to(&u->split.anon_bytes, without(u->memory_peak_bytes, others));
	return 0;
}

int cgroup_usage(const struct cgroup *cg, struct cgroup_usage *u, struct err *e)
{
	const struct cgroup_ops *ops = cg->cell->host->ops;

	*u = (struct cgroup_usage){.split = cg->split};
	if (ops->cpu(cg, u, e) < 0 || ops->memory_peak(cg, u, e) < 0 || own_memory(cg, u, e) < 0)
		return -1;
	return processes_peak(cg, u, e);
}

int cgroup_oom_kills(const struct cgroup *cg, uint64_t *kills, bool *at_limit, struct err *e)
{
	return cg->cell->host->ops->oom(cg, kills, at_limit, e);
}

int cgroup_kill(const struct cgroup *cg, struct err *e)
{
	return cgroup_dir_kill(cgroup_dir_for(cg, CGROUP_PIDS), e);
}

int cgroup_wait_empty(const struct cgroup *cg, int timeout_ms, struct err *e)
{
	const struct cgroup_host *h = cg->cell->host;

	for (int i = 0; i < h->ntrees; i++)
		if (cg->dirs[i] >= 0 && cgroup_dir_wait_empty(cg->dirs[i], timeout_ms, e) < 0)
			return -1;
	return 0;
}

int cgroup_close(struct cgroup *cg, struct err *e)
{
	int rc = 0;

	if (!cg->cell)
		return 0;
	for (int i = 0; i < cg->cell->host->ntrees; i++)
		if (cg->dirs[i] >= 0 &&
		    cgroup_dir_remove(cg->cell->dirs[i], cg->name, REMOVE_MS, e) < 0)
			rc = err_wrap(e, "cgroup of run %s", cg->name);
	close_all(cg->dirs, CGROUP_TREES);
	close_all(cg->procs_fds, CGROUP_TREES);
	close_all(cg->files, CGROUP_FILES);
	scope_close(&cg->oom_fd);
	cg->cell = NULL;
	return rc;
}
