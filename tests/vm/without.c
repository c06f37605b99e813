/*
 * without.c - a sandbox that leaves layers out, to see which attacks get through then.
 *
 * build/without/sandbox and sandboxd are made of the very objects of build/bin, and of this file: the linker's --wrap puts each function
 * __wrap_NAME below in the place of NAME. Nothing in those objects asks what is to be left out, so nothing in a release can be
 * told to. GAVEL_WITHOUT="readonly,landlock" names what is off; the verify rows of the jail always are.
 *
 * It works in the machine of vm.py alone, whose name it looks for: elsewhere it would be a weapon.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/box.h"
#include "sandbox/cell.h"
#include "sandbox/cgroup_dir.h"
#include "sandbox/copy.h"
#include "sandbox/mounts.h"
#include "sandbox/network.h"
#include "sandbox/nft.h"
#include "sandbox/output.h"
#include "sandbox/policy.h"
#include "sandbox/root.h"

#define MACHINE "gavel-vm"

/* clang-format off */
static const struct {
	const char *name;         /* as in tests/attack/layers.txt */
	unsigned long clone;      /* this namespace is not made */
	const char *rows[4];      /* these rows of the jail's tables are left out; elsewhere off() is asked */
} layers[] = {
	{ "userns",       CLONE_NEWUSER,   {"namespaces"} }, /* which would write to the host's own limit */
	{ "pidns",        CLONE_NEWPID,    {NULL} },
	{ "mountns",      CLONE_NEWNS | CLONE_NEWUSER, {"namespaces", "private", "root", "enter"} }, /* only root may mount in the host's */
	{ "netns",        CLONE_NEWNET,    {NULL} },
	{ "ipcns",        CLONE_NEWIPC,    {NULL} },
	{ "utsns",        CLONE_NEWUTS,    {"hostname"} }, /* which would name the host */
	{ "cgroupns",     CLONE_NEWCGROUP, {NULL} },
	{ "nested",       0,               {"namespaces"} },
	{ "root",         0,               {"root", "enter"} },
	{ "private",      0,               {"private"} },
	{ "readonly",     0,               {NULL} },
	{ "nosuid",       0,               {NULL} },
	{ "nodev",        0,               {NULL} },
	{ "proc",         0,               {NULL} },
	{ "dev",          0,               {NULL} },
	{ "box_size",     0,               {NULL} },
	{ "box_inodes",   0,               {NULL} },
	{ "landlock",     0,               {"landlock"} },
	{ "oom_score",    0,               {"oom"} },
	{ "dumpable",     0,               {NULL} },
	{ "no_new_privs", 0,               {"no_new_privs", "landlock"} }, /* and no filter: both need it */
	{ "caps",         0,               {"bounding", "securebits"} },
	{ "ids",          0,               {NULL} },
	{ "session",      0,               {NULL} },
	{ "keyring",      0,               {NULL} },
	{ "signals",      0,               {"signals"} },
	{ "stdio",        0,               {NULL} },
	{ "close",        0,               {NULL} },
	{ "environment",  0,               {NULL} },
	{ "rlimits",      0,               {"limits", "sizes", "check"} },
	{ "seccomp",      0,               {NULL} },
	{ "memory",       0,               {NULL} },
	{ "oom_group",    0,               {NULL} },
	{ "pids",         0,               {NULL} },
	{ "devices",      0,               {NULL} },
	{ "cpu_quota",    0,               {NULL} },
	{ "cpu_count",    0,               {NULL} },
	{ "cpu_time",     0,               {NULL} },
	{ "wall_time",    0,               {NULL} },
	{ "output",       0,               {NULL} },
	{ "kill",         0,               {NULL} },
	{ "fresh_files",  0,               {NULL} },
	{ "fresh_net",    0,               {NULL} },
	{ "fresh_pids",   0,               {NULL} },
	{ "fresh_cgroup", 0,               {NULL} },
	{ "copy_out",     0,               {NULL} },
	{ "filter",       0,               {NULL} },
};
/* clang-format on */

static char chosen[ARRAY_LEN(layers)];

static int off(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(layers); i++)
		if (strcmp(layers[i].name, name) == 0)
			return chosen[i];
	fprintf(stderr, "without: no layer '%s'\n", name);
	_exit(125);
}

static int leaves_out(const char *row)
{
	for (size_t i = 0; i < ARRAY_LEN(layers); i++)
		for (size_t r = 0; r < ARRAY_LEN(layers[i].rows); r++)
			if (chosen[i] && layers[i].rows[r] && strcmp(layers[i].rows[r], row) == 0)
				return 1;
	return strcmp(row, "verify") == 0;
}

static unsigned long namespaces_off(void)
{
	unsigned long flags = 0;

	for (size_t i = 0; i < ARRAY_LEN(layers); i++)
		flags |= chosen[i] ? layers[i].clone : 0;
	return flags;
}

static void choose_one(const char *name)
{
	(void)off(name); /* there is one of this name */
	for (size_t i = 0; i < ARRAY_LEN(layers); i++)
		if (strcmp(layers[i].name, name) == 0)
			chosen[i] = 1;
}

__attribute__((constructor)) static void choose(void)
{
	const char *text = getenv("GAVEL_WITHOUT");
	char *copy = text ? strdup(text) : NULL;
	char *rest = copy;
	struct utsname host;

	if (uname(&host) < 0 || strcmp(host.nodename, MACHINE) != 0) {
		fputs("without: runs in the machine of tests/vm/vm.py only\n", stderr);
		_exit(125);
	}
	for (char *name; rest && (name = strsep(&rest, ",")) && *name;)
		choose_one(name);
	free(copy);
}

/* ---- the jail's tables, without rows */

int __real_cell_open(struct cell *c, const struct cell_options *o, struct err *e);
int __wrap_cell_open(struct cell *c, const struct cell_options *o, struct err *e)
{
	static struct jail_cell_step cell[32];
	static struct jail_program_step program[32];
	static struct jail_tables tables = {.cell = cell, .program = program};
	struct cell_options options = *o;

	tables.ncell = tables.nprogram =
		0; /* sandboxd has tried a cell before its keepers open theirs */
	for (size_t i = 0; i < jail_cell_nsteps; i++)
		if (!leaves_out(jail_cell_steps[i].name))
			cell[tables.ncell++] = jail_cell_steps[i];
	for (size_t i = 0; i < jail_program_nsteps; i++)
		if (!leaves_out(jail_program_steps[i].name))
			program[tables.nprogram++] = jail_program_steps[i];
	options.tables = &tables;
	return __real_cell_open(c, &options, e);
}

/* ---- system calls */

long __real_syscall(long nr, ...);

static long clone_without(struct clone_args *args, size_t size)
{
	args->flags &= ~namespaces_off();
	if (off("pidns") || off("fresh_pids"))
		args->set_tid = args->set_tid_size = 0;
	return __real_syscall(SYS_clone3, args, size);
}

static unsigned long attributes_without(unsigned long attrs)
{
	attrs &= off("readonly") ? ~(unsigned long)MOUNT_ATTR_RDONLY : ~0UL;
	attrs &= off("nosuid") ? ~(unsigned long)MOUNT_ATTR_NOSUID : ~0UL;
	return attrs & (off("nodev") ? ~(unsigned long)MOUNT_ATTR_NODEV : ~0UL);
}

/* Whether this option of a new file system is left out. */
static int option_off(const char *key)
{
	static const char *const options[][2] = {{"hidepid", "proc"},
						 {"subset", "proc"},
						 {"size", "box_size"},
						 {"nr_inodes", "box_inodes"}};

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (strcmp(key, options[i][0]) == 0)
			return off(options[i][1]);
	return 0;
}

long __wrap_syscall(long nr, ...)
{
	long a[6];
	va_list ap;

	va_start(ap, nr);
	for (size_t i = 0; i < ARRAY_LEN(a); i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	switch (nr) {
	case SYS_clone3:
		return clone_without((struct clone_args *)a[0], (size_t)a[1]);
	case SYS_mount_setattr:
		((struct mount_attr *)a[3])->attr_set =
			attributes_without(((struct mount_attr *)a[3])->attr_set);
		break;
	case SYS_fsmount:
		a[2] = (long)attributes_without((unsigned long)a[2]);
		if (a[2] & MOUNT_ATTR_NOEXEC && off("proc")) /* no other new file system has that */
			a[2] &= ~MOUNT_ATTR_RDONLY;
		break;
	case SYS_fsconfig:
		if (a[1] == FSCONFIG_SET_STRING && option_off((const char *)a[2]))
			return 0;
		break;
	case SYS_keyctl:
		if (a[0] == KEYCTL_JOIN_SESSION_KEYRING && off("keyring"))
			return 0;
		break;
	case SYS_capset:
		if (off("caps"))
			return 0;
		break;
	case SYS_openat2:
		if (off("copy_out")) {
			((struct open_how *)a[2])->resolve = 0;
			((struct open_how *)a[2])->flags &= ~(uint64_t)(O_NOFOLLOW | O_NONBLOCK);
		}
	}
	return __real_syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int __wrap_unshare(int flags)
{
	return (int)__real_syscall(SYS_unshare, (unsigned long)flags & ~namespaces_off());
}

int __wrap_prctl(int what, ...)
{
	unsigned long a[4];
	va_list ap;

	va_start(ap, what);
	for (size_t i = 0; i < ARRAY_LEN(a); i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	if (what == PR_SET_DUMPABLE && off("dumpable"))
		a[0] = 1;
	return (int)__real_syscall(SYS_prctl, what, a[0], a[1], a[2], a[3]);
}

/* Sizes are set again for each run. */
int __real_mount(const char *source, const char *target, const char *type, unsigned long flags,
		 const void *options);
int __wrap_mount(const char *source, const char *target, const char *type, unsigned long flags,
		 const void *options)
{
	if (flags & MS_REMOUNT && (off("box_size") || off("box_inodes")))
		return 0;
	return __real_mount(source, target, type, flags, options);
}

int __wrap_setsid(void)
{
	return off("session") ? 0 : (int)__real_syscall(SYS_setsid);
}

int __wrap_setresuid(uid_t r, uid_t e, uid_t s)
{
	return r == IDS_PROGRAM && off("ids") ? 0 : (int)__real_syscall(SYS_setresuid, r, e, s);
}

int __wrap_setresgid(gid_t r, gid_t e, gid_t s)
{
	return r == IDS_PROGRAM && off("ids") ? 0 : (int)__real_syscall(SYS_setresgid, r, e, s);
}

#define OUT_OF_THE_WAY 600

/* Descriptors are not closed but moved, because others count on their numbers being free. */
int __wrap_close_range(unsigned first, unsigned last, int flags)
{
	for (unsigned fd = first; off("close") && fd <= last && fd < OUT_OF_THE_WAY; fd++)
		if (__real_syscall(SYS_fcntl, fd, F_DUPFD, OUT_OF_THE_WAY) >= 0)
			(void)close((int)fd);
	return off("close") ? 0 : (int)__real_syscall(SYS_close_range, first, last, flags);
}

int __wrap_execve(const char *path, char *const argv[], char *const envp[])
{
	return (int)__real_syscall(SYS_execve, path, argv, off("environment") ? environ : envp);
}

/* The number of the next process, which only the owner of the pid namespace may set. */
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	if (off("pidns") || off("fresh_pids"))
		return (ssize_t)n;
	return __real_syscall(SYS_pwrite64, fd, bytes, n, at);
}

/* Init's way to end what a program has started. */
int __wrap_kill(pid_t pid, int sig)
{
	return pid == -1 && off("kill") ? 0 : (int)__real_syscall(SYS_kill, pid, sig);
}

pid_t __wrap_waitpid(pid_t pid, int *status, int options)
{
	if (pid == -1 && off("kill")) {
		errno = ECHILD;
		return -1;
	}
	return (pid_t)__real_syscall(SYS_wait4, pid, status, options, NULL);
}

/* Whatever it is, it passes for a file. */
int __real_fstatat(int dir, const char *path, struct stat *st, int flags);
int __wrap_fstatat(int dir, const char *path, struct stat *st, int flags)
{
	int status = __real_fstatat(dir, path, st,
				    off("copy_out") ? flags & ~AT_SYMLINK_NOFOLLOW : flags);

	if (status == 0 && S_ISFIFO(st->st_mode) && off("copy_out"))
		st->st_mode ^= S_IFIFO ^ S_IFREG;
	return status;
}

/* ---- functions of ours */

int __real_ids_map(const struct ids *ids, pid_t pid, struct err *e);
int __wrap_ids_map(const struct ids *ids, pid_t pid, struct err *e)
{
	return namespaces_off() & CLONE_NEWUSER ? 0 : __real_ids_map(ids, pid, e);
}

/* The host's interfaces are up already, and not the cell's to change. */
int __real_network_set_up(const char *kind, struct err *e);
int __wrap_network_set_up(const char *kind, struct err *e)
{
	return off("netns") ? 0 : __real_network_set_up(kind, e);
}

/* Without a pid namespace the kernel gives the cell no procfs of its own: the host's. */
int __real_mounts_new_proc(struct err *e);
int __wrap_mounts_new_proc(struct err *e)
{
	return off("pidns") ? mounts_clone("/proc", MOUNTS_RO, e) : __real_mounts_new_proc(e);
}

/* The host's /dev over the cell's. */
int __real_root_build(const struct root *r, struct err *e);
int __wrap_root_build(const struct root *r, struct err *e)
{
	AUTO_CLOSE int dev = off("dev") ? mounts_clone("/dev", MOUNTS_DEVICE, e) : -1;

	if (__real_root_build(r, e) < 0)
		return -1;
	return off("dev") ? mounts_attach(dev, "/tmp/dev", e) : 0;
}

/* The host's own file, open for writing, as the program's input. */
static int own_input = -1;

int __real_copy_to_memfd(int from, uint64_t max, struct err *e);
int __wrap_copy_to_memfd(int from, uint64_t max, struct err *e)
{
	own_input = off("stdio") ? dup(from) : -1;
	return __real_copy_to_memfd(from, max, e);
}

int __real_io_reopen(int fd, struct err *e);
int __wrap_io_reopen(int fd, struct err *e)
{
	char path[64];

	if (own_input < 0)
		return __real_io_reopen(fd, e);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", own_input);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* And a file of the host's as its output, instead of a pipe. */
int __real_output_open(struct output *o, int sink, int *write_end, struct err *e);
int __wrap_output_open(struct output *o, int sink, int *write_end, struct err *e)
{
	int status = __real_output_open(o, sink, write_end, e);
	int file =
		off("stdio") && status == 0 ? open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666) : -1;

	if (file >= 0) {
		(void)close(*write_end);
		*write_end = file;
	}
	return status;
}

/* What one run leaves stays for the next. */
int __real_box_prepare(struct box *b, int same, uint64_t bytes, uint64_t inodes, struct err *e);
int __wrap_box_prepare(struct box *b, int same, uint64_t bytes, uint64_t inodes, struct err *e)
{
	return b->used && off("fresh_files") ? 0 : __real_box_prepare(b, same, bytes, inodes, e);
}

int __real_network_renew(struct network *n, struct err *e);
int __wrap_network_renew(struct network *n, struct err *e)
{
	return off("fresh_net") ? 0 : __real_network_renew(n, e);
}

/* A private network without rules: all that come by are let through. */
int __real_nft_load(int ns, const char *rules, struct err *e);
int __wrap_nft_load(int ns, const char *rules, struct err *e)
{
	return off("filter") ? 0 : __real_nft_load(ns, rules, e);
}

int __real_box_take(const struct box *b, char *const *paths, size_t n, uint64_t max, box_sink *sink,
		    void *arg, struct err *e);
int __wrap_box_take(const struct box *b, char *const *paths, size_t n, uint64_t max, box_sink *sink,
		    void *arg, struct err *e)
{
	return __real_box_take(b, paths, n, off("copy_out") ? 1 << 30 : max, sink, arg, e);
}

int __real_cgroup_dir_kill(int dir, struct err *e);
int __wrap_cgroup_dir_kill(int dir, struct err *e)
{
	return off("kill") ? 0 : __real_cgroup_dir_kill(dir, e);
}

int __real_policy_install(const struct policy *p, int *listener, struct err *e);
int __wrap_policy_install(const struct policy *p, int *listener, struct err *e)
{
	static struct sock_filter allow = {.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW};
	struct policy all = {.prog = {1, &allow}};

	if (off("no_new_privs")) {
		*listener = eventfd(0, EFD_CLOEXEC); /* nothing will ever be heard from it */
		return 0;
	}
	return __real_policy_install(off("seccomp") ? &all : p, listener, e);
}

static int same_limits(const struct cgroup_limits *a, const struct cgroup_limits *b)
{
	return a->memory_bytes == b->memory_bytes && a->processes == b->processes &&
	       a->cpu_milli == b->cpu_milli && a->cpu == b->cpu;
}

/* Of the run before, with all that it was charged: what fresh_cgroup would have put away. */
static struct cgroup kept;

int __real_cgroup_open(const struct cgroup_cell *c, const char *name,
		       const struct cgroup_limits *limits, struct cgroup *cg, struct err *e);
int __wrap_cgroup_open(const struct cgroup_cell *c, const char *name,
		       const struct cgroup_limits *limits, struct cgroup *cg, struct err *e)
{
	struct cgroup_limits most = *limits;
	int status = 0;

	most.memory_bytes = off("memory") ? 1ULL << 40 : most.memory_bytes;
	most.processes = off("pids") ? 1 << 20 : most.processes;
	most.cpu_milli = off("cpu_quota") ? 0 : most.cpu_milli;
	if (off("fresh_cgroup") && kept.cell == c && same_limits(&kept.limits, &most))
		*cg = kept;
	else
		status = __real_cgroup_open(c, name, &most, cg, e);
	if (off("fresh_cgroup") && status == 0)
		kept = *cg;
	return status;
}

/* Its folder goes with the cell's. */
int __real_cgroup_close(struct cgroup *cg, struct err *e);
int __wrap_cgroup_close(struct cgroup *cg, struct err *e)
{
	if (!off("fresh_cgroup"))
		return __real_cgroup_close(cg, e);
	cg->cell = NULL;
	return 0;
}

int __real_cgroup_set_limit(int dir, const char *file, uint64_t value, struct err *e);
int __wrap_cgroup_set_limit(int dir, const char *file, uint64_t value, struct err *e)
{
	if (strcmp(file, "memory.oom.group") == 0 && off("oom_group"))
		return 0;
	return __real_cgroup_set_limit(dir, file, value, e);
}

int __real_cgroup_devices_load(struct err *e);
int __wrap_cgroup_devices_load(struct err *e)
{
	return off("devices") ? err_set(e, "left out") : __real_cgroup_devices_load(e);
}

/* The keeper's own eye on it, which ends the run as well. */
int __real_cgroup_oom_kills(const struct cgroup *cg, uint64_t *kills, bool *at_limit,
			    struct err *e);
int __wrap_cgroup_oom_kills(const struct cgroup *cg, uint64_t *kills, bool *at_limit, struct err *e)
{
	int status = __real_cgroup_oom_kills(cg, kills, at_limit, e);

	if (off("oom_group"))
		*kills = 0, *at_limit = false;
	return status;
}

/* Of one process, as wait4(2) would say: all the others use nothing. */
static uint64_t cpu_of_one(const struct cgroup *cg)
{
	static uint64_t most;
	char pids[4096];
	unsigned long user = 0, kernel = 0;
	AUTO_FREE char *path = NULL;
	FILE *f = NULL;

	if (cgroup_processes(cg, pids, sizeof(pids)) > 0 &&
	    asprintf(&path, "/proc/%ld/task/%ld/stat", strtol(pids, NULL, 10),
		     strtol(pids, NULL, 10)) > 0)
		f = fopen(path, "re");
	if (f && fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			&user, &kernel) == 2)
		most = (user + kernel) * 1000000 / (unsigned long)sysconf(_SC_CLK_TCK);
	if (f)
		fclose(f);
	return most;
}

static uint64_t cpu_counted(const struct cgroup *cg, uint64_t us)
{
	if (off("cpu_time"))
		return 0;
	return off("cpu_count") ? cpu_of_one(cg) : us;
}

int __real_cgroup_cpu_usage_us(const struct cgroup *cg, uint64_t *us, struct err *e);
int __wrap_cgroup_cpu_usage_us(const struct cgroup *cg, uint64_t *us, struct err *e)
{
	int status = __real_cgroup_cpu_usage_us(cg, us, e);

	*us = cpu_counted(cg, *us);
	return status;
}

int __real_cgroup_usage(const struct cgroup *cg, struct cgroup_usage *u, struct err *e);
int __wrap_cgroup_usage(const struct cgroup *cg, struct cgroup_usage *u, struct err *e)
{
	int status = __real_cgroup_usage(cg, u, e);

	u->cpu_us = cpu_counted(cg, u->cpu_us);
	return status;
}

/* A clock that stands still: nothing is ever late. */
int64_t __real_io_monotonic_us(void);
int64_t __wrap_io_monotonic_us(void)
{
	return off("wall_time") ? 1 : __real_io_monotonic_us();
}

int __real_output_drain(struct output *o, uint64_t *left, struct err *e);
int __wrap_output_drain(struct output *o, uint64_t *left, struct err *e)
{
	uint64_t all = UINT64_MAX;

	return __real_output_drain(o, off("output") ? &all : left, e);
}
