#include "sandbox/cells.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/cgroup_dir.h"
#include "sandbox/cgroup_ops.h"
#include "sandbox/see.h"

#define STATUS_MAX 8192

/* While instances are looked for. */
struct search {
	struct cells *cells;
	char *locks; /* /proc/locks; NULL if it cannot be read */
	const struct cgroup_place *place;
};

struct addresses { /* of a process's memory: an exec changes them */
	unsigned long long start_code, end_code, start_stack;
};

const char *cells_state_name(enum cells_state s)
{
	static const char *const names[] = {"unknown", "starting", "idle", "serving", "running"};

	return names[s];
}

/* Room for one more element; NULL when there is no memory. */
static void *grow(void **array, size_t *n, size_t size)
{
	void *more = reallocarray(*array, *n + 1, size);

	if (!more)
		return NULL;
	*array = more;
	return (char *)more + (*n)++ * size;
}

/*
 * The instance whose folder in this hierarchy is still to come.  Anybody to whom a cgroup was delegated can make a folder with the
 * name of another's instance: that one has another owner, or is the second in its hierarchy, and becomes an entry of its own.
 */
static struct cells_instance *instance_of(struct cells *c, const char *name, const char *mount,
					  uid_t owner)
{
	struct cells_instance *i;
	size_t len = strlen(mount);

	/* A mount point may be the beginning of another: /sys/fs/cgroup/cpu, /sys/fs/cgroup/cpuacct. */
	for (size_t k = 0; k < c->ninstances; k++) {
		i = &c->instances[k];
		if (strcmp(i->name, name) == 0 && i->owner == owner && i->ntrees < CGROUP_TREES &&
		    (strncmp(i->trees[i->ntrees - 1].path, mount, len) != 0 ||
		     i->trees[i->ntrees - 1].path[len] != '/'))
			return i;
	}
	i = grow((void **)&c->instances, &c->ninstances, sizeof(*i));
	if (!i)
		return NULL;
	*i = (struct cells_instance){.version = c->version, .owner = owner};
	snprintf(i->name, sizeof(i->name), "%s", name);
	return i;
}

/* Who holds the lock of this folder; see proc_locks(5).  Taking the lock to find out would make others think it is taken. */
static pid_t locker(const char *locks, const struct stat *st)
{
	char wanted[64];
	const char *line = locks;

	snprintf(wanted, sizeof(wanted), " %02x:%02x:%llu ", major(st->st_dev), minor(st->st_dev),
		 (unsigned long long)st->st_ino);
	for (; line && *line; line = strchr(line, '\n'), line += line != NULL) {
		size_t len = strcspn(line, "\n");
		const char *hit = memmem(line, len, wanted, strlen(wanted));
		const char *pid = hit;

		if (!hit || !memmem(line, len, " FLOCK ", 7))
			continue;
		while (pid > line && pid[-1] != ' ')
			pid--;
		return (pid_t)strtol(pid, NULL, 10);
	}
	return 0;
}

static int found(void *arg, const char *path, const char *below, const char *name, struct err *e)
{
	struct search *s = arg;
	struct stat st;

	if (stat(path, &st) < 0)
		return 0;
	struct cells_instance *i = instance_of(s->cells, name, s->place->mount, st.st_uid);

	if (!i)
		return err_set(e, "out of memory");
	struct cells_tree *t = &i->trees[i->ntrees++];

	t->controllers = s->place->controllers;
	snprintf(t->path, sizeof(t->path), "%s%s", s->place->mount, below);
	if (i->master == 0 && s->locks)
		i->master = locker(s->locks, &st);
	return 0;
}

static void name_master(struct cells_instance *i)
{
	AUTO_CLOSE int process = i->master > 0 ? cells_process(i->master) : -1;

	if (process >= 0 && see_read(process, "comm", i->program, sizeof(i->program)) > 0)
		i->program[strcspn(i->program, "\n")] = '\0';
}

/* Not through a link: who may make cgroups below the mount point cannot make links there, but it costs nothing. */
static int open_folder(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int cells_open(const struct cells *c, const struct cells_cell *cell, int tree, const char *group)
{
	const struct cells_instance *i = &c->instances[cell->instance];
	char path[PATH_MAX + 2 * NAME_MAX];

	if (tree >= i->ntrees)
		return -1;
	snprintf(path, sizeof(path), "%s/%s%s%s", i->trees[tree].path, cell->name,
		 *group ? "/" : "", group);
	return open_folder(path);
}

pid_t *cells_pids(int dir, const char *file, size_t *n)
{
	AUTO_FREE char *text = see_read_all(dir, file);
	pid_t *pids = NULL;

	*n = 0;
	for (char *p = text; p && *p;) {
		char *end;
		long pid = strtol(p, &end, 10);
		pid_t *at = end > p && pid > 0 ? grow((void **)&pids, n, sizeof(*pids)) : NULL;

		if (at)
			*at = (pid_t)pid;
		p = end + (*end == '\n');
		if (end == p)
			break;
	}
	return pids;
}

int cells_process(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	return open_folder(path);
}

/* Where a process's memory begins, from /proc/PID/stat; its name may hold blanks and brackets, so count from the last one. */
static int addresses_read(int process, struct addresses *a)
{
	char text[2048];
	const char *p =
		see_read(process, "stat", text, sizeof(text)) > 0 ? strrchr(text, ')') : NULL;
	unsigned long long *const into[] = {&a->start_code, &a->end_code, &a->start_stack};

	for (int field = 2; p && field < 26; field++) {
		p = strchr(p, ' ');
		p += p != NULL;
	}
	for (size_t i = 0; i < ARRAY_LEN(into); i++) {
		char *end;

		if (!p)
			return -1;
		*into[i] = strtoull(p, &end, 10);
		p = end + 1;
	}
	return a->start_code == 1 ? -1 : 0; /* 1: the kernel does not tell us */
}

int cells_parked(int process, int init)
{
	struct addresses a;
	struct addresses b;

	if (addresses_read(process, &a) < 0 || addresses_read(init, &b) < 0)
		return -1;
	return a.start_code == b.start_code && a.end_code == b.end_code &&
	       a.start_stack == b.start_stack;
}

void cells_groups(const struct cells *c, const struct cells_cell *cell, int tree,
		  cells_visitor *visit, void *arg)
{
	int fd = cells_open(c, cell, tree, "");
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	for (struct dirent *d = readdir(dir); d;
	     d = readdir(dir)) /* NOLINT(concurrency-mt-unsafe) */
		if (d->d_type == DT_DIR && d->d_name[0] != '.')
			visit(arg, d->d_name);
	(void)closedir(dir);
}

/* The process that is number 1 inside: last of NSpid. */
static int is_init(int process)
{
	char status[STATUS_MAX];
	char pids[256];
	const char *last;

	if (process < 0 || see_read(process, "status", status, sizeof(status)) <= 0 ||
	    !see_field(status, "NSpid", pids, sizeof(pids)))
		return 0;
	last = strrchr(pids, '\t');
	return last && strcmp(last + 1, "1") == 0;
}

static void find_init(const struct cells *c, struct cells_cell *cell)
{
	char status[STATUS_MAX];
	char parent[32];
	size_t n = 0;
	AUTO_CLOSE int dir = cells_open(c, cell, 0, "init");
	AUTO_FREE pid_t *pids = dir < 0 ? NULL : cells_pids(dir, "cgroup.procs", &n);

	for (size_t i = 0; i < n && cell->init == 0; i++) {
		AUTO_CLOSE int process = cells_process(pids[i]);

		if (!is_init(process))
			continue;
		cell->init = pids[i];
		if (see_read(process, "status", status, sizeof(status)) > 0 &&
		    see_field(status, "PPid", parent, sizeof(parent)))
			cell->keeper = (pid_t)strtol(parent, NULL, 10);
	}
}

struct runs {
	const struct cells *cells;
	const struct cells_cell *cell;
	int init;
	int programs, unknown;
};

static void count_programs(void *arg, const char *group)
{
	struct runs *r = arg;
	size_t n = 0;
	AUTO_CLOSE int dir =
		strcmp(group, "init") == 0 ? -1 : cells_open(r->cells, r->cell, 0, group);
	AUTO_FREE pid_t *pids = dir < 0 ? NULL : cells_pids(dir, "cgroup.procs", &n);

	for (size_t i = 0; i < n; i++) {
		AUTO_CLOSE int process = cells_process(pids[i]);
		int parked = process < 0 ? 1 : cells_parked(process, r->init);

		r->programs += parked == 0;
		r->unknown += parked < 0;
	}
}

/*
 * What /proc/net/unix says of a socket: 'l' if it listens, 'c' if it is one that a listener with a name has accepted, 0 for anything
 * else.  The columns: number, references, protocol, flags, type, state, inode, path.
 */
static int socket_kind(const char *table, unsigned long inode)
{
	for (const char *line = strchr(table, '\n'); line; line = strchr(line + 1, '\n')) {
		unsigned flags;
		unsigned state;
		unsigned long is;
		char next; /* a blank before the path, if it has one */
		/* The kernel's own columns.  NOLINTNEXTLINE(cert-err34-c) */
		int n = sscanf(line + 1, "%*x: %*x %*x %x %*x %x %lu%c", &flags, &state, &is,
			       &next);

		if (n == 4 && is == inode)
			return flags ? 'l' : (next == ' ' && state == 3 ? 'c' : 0);
	}
	return 0;
}

/* Looks through the keeper's sockets: one that waits for clients and has accepted none is idle; `sandbox run` serves itself. */
static enum cells_state keeper_state(pid_t keeper)
{
	int listens = 0;
	int serves = 0;
	AUTO_CLOSE int process = keeper > 0 ? cells_process(keeper) : -1;
	AUTO_FREE char *table = process < 0 ? NULL : see_read_all(process, "net/unix");
	int fd = table ? openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char link[64];

	if (!dir) {
		if (fd >= 0)
			(void)close(fd);
		return CELLS_UNKNOWN;
	}
	for (struct dirent *d = readdir(dir); d;
	     d = readdir(dir)) { /* NOLINT(concurrency-mt-unsafe) */
		if (see_link(fd, d->d_name, link, sizeof(link)) < 0 ||
		    strncmp(link, "socket:[", 8) != 0)
			continue;
		int kind = socket_kind(table, strtoul(link + 8, NULL, 10));

		listens |= kind == 'l';
		serves |= kind == 'c';
	}
	(void)closedir(dir);
	return listens && !serves ? CELLS_IDLE : CELLS_SERVING;
}

static enum cells_state find_state(const struct cells *c, const struct cells_cell *cell)
{
	AUTO_CLOSE int init = cell->init > 0 ? cells_process(cell->init) : -1;
	struct runs r = {.cells = c, .cell = cell, .init = init};

	if (init < 0)
		return CELLS_STARTING;
	cells_groups(c, cell, 0, count_programs, &r);
	if (r.programs > 0)
		return CELLS_RUNNING;
	return r.unknown > 0 ? CELLS_UNKNOWN : keeper_state(cell->keeper);
}

static int64_t number_in(int dir, const char *file)
{
	struct err ignored;
	uint64_t n;

	return dir >= 0 && cgroup_dir_read_u64(dir, file, &n, &ignored) == 0 && n <= INT64_MAX
		       ? (int64_t)n
		       : -1;
}

static void measure(const struct cells *c, struct cells_cell *cell)
{
	const struct cells_instance *in = &c->instances[cell->instance];
	char text[1024];
	uint64_t us;

	for (int i = 0; i < in->ntrees; i++) {
		AUTO_CLOSE int dir = cells_open(c, cell, i, "");
		unsigned has = in->trees[i].controllers;
		int64_t ns = number_in(dir, "cpuacct.usage");

		if (in->version == 2 || (has & 1U << CGROUP_PIDS))
			cell->tasks = number_in(dir, "pids.current");
		if (ns >= 0)
			cell->cpu_us = ns / 1000;
		if (in->version == 2) {
			cell->memory_bytes = number_in(dir, "memory.current");
			cell->memory_peak_bytes = number_in(dir, "memory.peak");
			if (dir >= 0 && see_read(dir, "cpu.stat", text, sizeof(text)) > 0 &&
			    cgroup_dir_key(text, "usage_usec", &us))
				cell->cpu_us = (int64_t)us;
		} else if (has & 1U << CGROUP_MEMORY) {
			cell->memory_bytes = number_in(dir, "memory.usage_in_bytes");
			cell->memory_peak_bytes = number_in(dir, "memory.max_usage_in_bytes");
		}
	}
}

static int add_cell(struct cells *c, size_t instance, const char *name, struct err *e)
{
	struct cells_cell cell = {.instance = instance,
				  .tasks = -1,
				  .cpu_us = -1,
				  .memory_bytes = -1,
				  .memory_peak_bytes = -1};
	struct cells_cell *at;

	if (snprintf(cell.name, sizeof(cell.name), "%s", name) >= (int)sizeof(cell.name))
		return 0; /* not made by us */
	AUTO_CLOSE int init = cells_open(c, &cell, 0, "init");

	if (init < 0)
		return 0;
	find_init(c, &cell);
	cell.state = find_state(c, &cell);
	measure(c, &cell);
	at = grow((void **)&c->cells, &c->ncells, sizeof(*at));
	if (!at)
		return err_set(e, "out of memory");
	*at = cell;
	return 0;
}

static int by_length_and_name(const struct dirent **a, const struct dirent **b)
{
	size_t la = strlen((*a)->d_name);
	size_t lb = strlen((*b)->d_name);

	return la != lb ? (la < lb ? -1 : 1) : strcmp((*a)->d_name, (*b)->d_name);
}

static int is_folder(const struct dirent *d)
{
	return d->d_type == DT_DIR && d->d_name[0] != '.';
}

static int find_cells(struct cells *c, size_t instance, struct err *e)
{
	struct dirent **names = NULL;
	int n = scandir(c->instances[instance].trees[0].path, &names, is_folder,
			by_length_and_name);
	int status = 0;

	for (int i = 0; i < n; i++) {
		if (status == 0)
			status = add_cell(c, instance, names[i]->d_name, e);
		free(names[i]);
	}
	free(names);
	return status;
}

int cells_find(struct cells *c, struct err *e)
{
	struct cgroup_found f;
	AUTO_CLOSE int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_FREE char *locks = root < 0 ? NULL : see_read_all(root, "proc/locks");
	struct search s = {.cells = c, .locks = locks};

	*c = (struct cells){0};
	if (root < 0)
		return err_sys(e, "open /");
	if (cgroup_find(root, &f, e) < 0)
		return -1;
	c->version = f.version;
	for (int i = 0; i < f.n; i++) {
		s.place = &f.places[i];
		if (cgroup_walk(root, f.places[i].mount, found, &s, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < c->ninstances; i++) {
		name_master(&c->instances[i]);
		if (c->instances[i].ntrees > 0 && find_cells(c, i, e) < 0)
			return -1;
	}
	return 0;
}

void cells_release(struct cells *c)
{
	free(c->instances);
	free(c->cells);
	*c = (struct cells){0};
}
