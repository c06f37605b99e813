#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/cgroup.h"
#include "sandbox/cgroup_devices.h"
#include "sandbox/cgroup_dir.h"
#include "sandbox/cgroup_ops.h"

#define MIB (1024UL * 1024)

/* For macros that start with a parenthesis, which Criterion cannot take. */
#define YES(x) ne(int, x, 0)

/* Against the kernel: as root. */

static struct cgroup_host host;
static struct cgroup_cell cell;

static void setup(void)
{
	struct err e = {0};

	if (geteuid() != 0 && !getenv("GAVEL_ROOTLESS"))
		cr_skip_test("cgroups: needs root");
	cr_assert(zero(int, cgroup_host_open(&host, &e)), "%s", e.msg);
	cr_assert(zero(int, cgroup_cell_open(&host, "cell-1", 64, &cell, &e)), "%s", e.msg);
}

static void gone(int parent, const char *name)
{
	cr_expect(eq(int, faccessat(parent, name, F_OK, 0), -1), "%s is still there", name);
}

/* What is nobody's, an instance that is no part of this test may be removing just now. */
static void gone_soon(int parent, const char *name)
{
	for (int i = 0; i < 1000 && faccessat(parent, name, F_OK, 0) == 0; i++)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	gone(parent, name);
}

static void teardown(void)
{
	struct err e = {0};
	struct cgroup_host copy = host;
	int parents[CGROUP_TREES];

	if (!host.ops)
		return;
	for (int i = 0; i < host.ntrees; i++)
		parents[i] = dup(host.trees[i].parent);
	cr_expect(zero(int, cgroup_cell_close(&cell, &e)), "%s", e.msg);
	cr_expect(zero(int, cgroup_host_close(&host, &e)), "%s", e.msg);
	for (int i = 0; i < copy.ntrees; i++) {
		gone(parents[i], copy.name);
		close(parents[i]);
	}
}

TestSuite(cgroup, .init = setup, .fini = teardown, .timeout = 60);

static void run_open(struct cgroup *cg, const struct cgroup_limits *limits)
{
	struct err e = {0};

	cr_assert(zero(int, cgroup_open(&cell, "run-1", limits, cg, &e)), "%s", e.msg);
}

static void run_close(struct cgroup *cg)
{
	struct err e = {0};

	cr_expect(zero(int, cgroup_close(cg, &e)), "%s", e.msg);
	gone(cell.dirs[0], "run-1");
}

static const struct cgroup_limits plain = {.memory_bytes = 64 * MIB, .processes = 16, .cpu = -1};

static pid_t spawn(const struct cgroup *cg, void (*body)(void))
{
	pid_t pid = fork();

	cr_assert(ge(int, pid, 0));
	if (pid > 0)
		return pid;
	if (cgroup_attach_self(cg->procs_fds, cg->nprocs_fds) != 0)
		_exit(99);
	body();
	_exit(0);
}

static int status_of(pid_t pid)
{
	int status = -1;

	cr_assert(eq(int, waitpid(pid, &status, 0), pid));
	return status;
}

static void touch(size_t bytes)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(98);
	for (size_t i = 0; i < bytes; i += 4096)
		p[i] = 1;
}

static void spin_400_ms(void)
{
	int64_t end = io_monotonic_us() + 400000;

	while (io_monotonic_us() < end)
		continue;
}

static void oom_state(const struct cgroup *cg, uint64_t *kills, bool *at_limit)
{
	struct err e = {0};

	cr_assert(zero(int, cgroup_oom_kills(cg, kills, at_limit, &e)), "%s", e.msg);
}

static void bomb(void)
{
	touch(256 * MIB);
}

Test(cgroup, memory_limit_kills_and_is_counted)
{
	struct cgroup cg;
	uint64_t kills;
	bool at_limit;

	run_open(&cg, &plain);
	oom_state(&cg, &kills, &at_limit);
	cr_assert(zero(u64, kills));
	cr_assert(zero(int, at_limit));
	int status = status_of(spawn(&cg, bomb));

	cr_assert(YES(WIFSIGNALED(status)));
	cr_assert(eq(int, WTERMSIG(status), SIGKILL));
	struct pollfd p = {.fd = cg.oom_fd, .events = cg.oom_events};

	cr_assert(eq(int, poll(&p, 1, 2000), 1));
	oom_state(&cg, &kills, &at_limit);
	cr_assert(ge(u64, kills, 1));
	cr_assert(at_limit);
	cr_assert(zero(int, poll(&p, 1, 0)), "quiet once it has been read");
	run_close(&cg);
}

static void child_bomb(void)
{
	pid_t pid = fork();

	if (pid == 0)
		bomb();
	waitpid(pid, NULL, 0);
}

Test(cgroup, out_of_memory_in_a_child_alone_is_seen)
{
	struct cgroup cg;
	uint64_t kills;
	bool at_limit;

	run_open(&cg, &plain);
	(void)status_of(
		spawn(&cg, child_bomb)); /* v1: exits with 0; v2: killed as one of the group */
	oom_state(&cg, &kills, &at_limit);
	cr_assert(ge(u64, kills, 1));
	cr_assert(at_limit);
	run_close(&cg);
}

static void memfd_bomb(void)
{
	static const char block[65536] = "x";
	int fd = io_memfd(&(struct err){0});

	for (size_t i = 0; i < 256 * MIB; i += sizeof(block))
		(void)!write(fd, block, sizeof(block));
}

Test(cgroup, memory_in_a_memfd_counts)
{
	struct cgroup cg;
	uint64_t kills;
	bool at_limit;

	run_open(&cg, &plain);
	cr_assert(YES(WIFSIGNALED(status_of(spawn(&cg, memfd_bomb)))));
	oom_state(&cg, &kills, &at_limit);
	cr_assert(ge(u64, kills, 1));
	run_close(&cg);
}

Test(cgroup, nothing_can_be_swapped)
{
	static const char *const files[] = {"memory.swap.max", "memory.memsw.limit_in_bytes"};
	struct cgroup cg;
	uint64_t value = 1;
	int seen = 0;
	struct err e = {0};

	run_open(&cg, &plain);
	int dir = cgroup_dir_for(&cg, CGROUP_MEMORY);

	for (size_t i = 0; i < 2; i++) {
		if (!cgroup_dir_has(dir, files[i]))
			continue;
		cr_assert(zero(int, cgroup_dir_read_u64(dir, files[i], &value, &e)), "%s", e.msg);
		cr_assert(eq(u64, value, i == 0 ? 0 : plain.memory_bytes));
		seen++;
	}
	cr_assert(seen == 1 || !host.swap);
	run_close(&cg);
}

static void use_20_mib(void)
{
	touch(20 * MIB);
	raise(SIGSTOP);
}

Test(cgroup, memory_peak_and_split)
{
	struct cgroup cg;
	struct cgroup_usage u;
	struct err e = {0};
	int status;

	run_open(&cg, &plain);
	pid_t pid = spawn(&cg, use_20_mib);

	cr_assert(eq(int, waitpid(pid, &status, WUNTRACED), pid));
	cr_assert(zero(int, cgroup_sample(&cg, &e)), "%s", e.msg);
	kill(pid, SIGKILL);
	(void)status_of(pid);
	cr_assert(zero(int, cgroup_usage(&cg, &u, &e)), "%s", e.msg);
	cr_expect(ge(u64, u.memory_peak_bytes, 20 * MIB));
	cr_expect(lt(u64, u.memory_peak_bytes, 24 * MIB));
	cr_expect(ge(u64, u.split.anon_bytes, 19 * MIB));
	cr_expect(le(u64, u.split.anon_bytes, u.memory_peak_bytes));
	cr_expect(lt(u64, u.split.shmem_bytes, MIB));
	cr_expect(gt(u64, u.split.kernel_bytes, 0));
	cr_expect(eq(u32, u.processes_peak, 1));
	run_close(&cg);
}

static void fork_until_refused(void)
{
	int n = 1;

	for (;; n++) {
		pid_t pid = fork();

		if (pid == 0) {
			pause();
			_exit(0);
		}
		if (pid < 0)
			break;
	}
	_exit(errno == EAGAIN ? n : 97);
}

Test(cgroup, processes_are_limited)
{
	struct cgroup cg;
	struct err e = {0};
	struct cgroup_limits l = plain;

	l.processes = 5;
	run_open(&cg, &l);
	int status = status_of(spawn(&cg, fork_until_refused));

	cr_assert(YES(WIFEXITED(status)));
	cr_assert(eq(int, WEXITSTATUS(status), 5));
	cr_assert(zero(int, cgroup_kill(&cg, &e)), "%s", e.msg);
	cr_assert(zero(int, cgroup_wait_empty(&cg, 5000, &e)), "%s", e.msg);
	run_close(&cg);
}

Test(cgroup, cpu_quota_slows)
{
	struct cgroup cg;
	struct cgroup_usage u;
	struct err e = {0};
	struct cgroup_limits l = plain;

	l.cpu_milli = 200;
	run_open(&cg, &l);
	(void)status_of(spawn(&cg, spin_400_ms));
	cr_assert(zero(int, cgroup_usage(&cg, &u, &e)), "%s", e.msg);
	cr_expect(gt(u64, u.cpu_us, 10000));
	cr_expect(lt(u64, u.cpu_us, 250000));
	cr_expect(gt(u64, u.throttled_us, 0));
	cr_expect(eq(u64, u.user_us + u.system_us, u.cpu_us));
	run_close(&cg);
}

Test(cgroup, cpu_time_is_counted)
{
	struct cgroup cg;
	struct cgroup_usage u;
	struct err e = {0};
	uint64_t before;
	uint64_t after;

	run_open(&cg, &plain);
	cr_assert(zero(int, cgroup_cpu_usage_us(&cg, &before, &e)), "%s", e.msg);
	(void)status_of(spawn(&cg, spin_400_ms));
	cr_assert(zero(int, cgroup_cpu_usage_us(&cg, &after, &e)), "%s", e.msg);
	cr_assert(zero(int, cgroup_usage(&cg, &u, &e)), "%s", e.msg);
	cr_expect(gt(u64, after - before, 20000));
	cr_expect(le(u64, u.cpu_us, 500000));
	cr_expect(eq(u64, u.user_us + u.system_us, u.cpu_us));
	cr_expect(zero(u64, u.throttled_us));
	run_close(&cg);
}

static void exit_0_if_pinned(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	_exit(CPU_COUNT(&set) == 1 && CPU_ISSET(0, &set) ? 0 : 1);
}

Test(cgroup, pinned_to_one_cpu)
{
	struct cgroup cg;
	struct cgroup_limits l = plain;

	if (!(host.controllers & 1U << CGROUP_CPUSET))
		cr_skip_test("cpuset: %s", host.why_not_cpuset);
	l.cpu = 0;
	run_open(&cg, &l);
	cr_assert(zero(int, status_of(spawn(&cg, exit_0_if_pinned))));
	run_close(&cg);
}

/* Every process of it forks for as long as the test may last; SIGCHLD is ignored, so no zombie stands in its way. */
static void storm(void)
{
	int64_t end = io_monotonic_us() + 60 * 1000000LL;

	sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	setsid();
	while (io_monotonic_us() < end)
		(void)!fork();
	_exit(0);
}

Test(cgroup, fork_storm_is_killed)
{
	struct cgroup cg;
	struct err e = {0};
	struct cgroup_limits l = plain;

	l.processes = 100;
	l.memory_bytes =
		1ULL
		<< 30; /* a hundred processes under AddressSanitizer have more page tables than `plain` allows */
	run_open(&cg, &l);
	pid_t pid = spawn(&cg, storm);

	while (cg.sampled_processes < 50)
		cr_assert(zero(int, cgroup_sample(&cg, &e)), "%s", e.msg);
	cr_assert(zero(int, cgroup_kill(&cg, &e)), "%s", e.msg);
	(void)status_of(pid);
	cr_assert(zero(int, cgroup_wait_empty(&cg, 20000, &e)), "%s", e.msg);
	run_close(&cg);
}

static void wait_for_ever(void)
{
	for (;;)
		pause();
}

Test(cgroup, closing_a_cell_ends_runs_that_were_left)
{
	struct cgroup cg;
	struct cgroup_cell other;
	struct err e = {0};

	cr_assert(zero(int, cgroup_cell_open(&host, "cell-2", 8, &other, &e)), "%s", e.msg);
	cr_assert(zero(int, cgroup_open(&other, "run-1", &plain, &cg, &e)), "%s", e.msg);
	pid_t pid = spawn(&cg, wait_for_ever);

	while (cg.sampled_processes == 0)
		cr_assert(zero(int, cgroup_sample(&cg, &e)), "%s", e.msg);
	cr_assert(zero(int, cgroup_cell_close(&other, &e)), "%s", e.msg);
	(void)kill(pid, 0);
	cr_assert(YES(WIFSIGNALED(status_of(pid))));
	gone(host.trees[0].dir, "cell-2");
}

static void exit_0_if_2_forks(void)
{
	int forked = 0;

	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();

		if (pid == 0)
			wait_for_ever();
		forked += pid > 0;
	}
	_exit(forked == 2 ? 0 : 1);
}

Test(cgroup, init_of_a_cell_has_a_place_of_its_own)
{
	struct cgroup_cell c;
	struct err e = {0};
	struct cgroup as_init = {0};

	cr_assert(zero(int, cgroup_cell_open(&host, "cell-2", 3, &c, &e)), "%s", e.msg);
	as_init.nprocs_fds = c.nprocs_fds;
	memcpy(as_init.procs_fds, c.procs_fds, sizeof(c.procs_fds));
	cr_assert(zero(int, status_of(spawn(&as_init, exit_0_if_2_forks))));
	cr_assert(zero(int, cgroup_cell_close(&c, &e)), "%s", e.msg);
}

Test(cgroup, attach_reports_a_bad_descriptor)
{
	cr_assert(eq(int, cgroup_attach_self((int[]){-1}, 1), EBADF));
}

/* Instances. */

/* A node that the mounts of a cell leave out, and one that they let in. */
static int open_nodes(void)
{
	AUTO_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	AUTO_CLOSE int random_node = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (null < 0 || random_node < 0)
		return 1;
	if (log >= 0)
		return 2;
	if (errno != EPERM)
		return 3;
	if (mknod("/tmp/gavel-test-null", S_IFCHR | 0600, makedev(1, 3)) == 0) {
		unlink("/tmp/gavel-test-null");
		return 4;
	}
	return 0;
}

static void need_kmsg(void)
{
	AUTO_CLOSE int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (log < 0)
		cr_skip_test("/dev/kmsg cannot be opened here anyway");
}

Test(cgroup, other_devices_are_refused)
{
	pid_t pid;

	need_kmsg();
	if (!(host.controllers & 1U << CGROUP_DEVICES))
		cr_skip_test("no list of devices: %s", host.why_not_devices);
	pid = fork();
	if (pid == 0)
		_exit(cgroup_attach_self(cell.procs_fds, cell.nprocs_fds) ? 99 : open_nodes());
	cr_expect(zero(int, status_of(pid)));
}

/* The filter of v2, on a machine of either kind: a cgroup2 mount without controllers will do. */
Test(cgroup, the_filter_of_devices_refuses_others)
{
	const char *mount = access("/sys/fs/cgroup/cgroup.procs", F_OK) == 0
				    ? "/sys/fs/cgroup"
				    : "/sys/fs/cgroup/unified";
	char path[100];
	struct err e = {0};
	pid_t pid;

	need_kmsg();
	if (access(mount, F_OK) != 0)
		cr_skip_test("no cgroup2 is mounted");
	snprintf(path, sizeof(path), "%s/gavel-test-devices-%d", mount, (int)getpid());
	cr_assert(zero(int, mkdir(path, 0755)));
	AUTO_CLOSE int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int program = cgroup_devices_load(&e);

	cr_expect(ge(int, program, 0), "%s", e.msg);
	cr_expect(zero(int, cgroup_devices_attach(dir, program, &e)), "%s", e.msg);
	pid = fork();
	if (pid == 0)
		_exit(cgroup_dir_write(dir, "cgroup.procs", "0", &e) < 0 ? 99 : open_nodes());
	cr_expect(zero(int, status_of(pid)));
	cr_expect(zero(int, rmdir(path)));
}

Test(cgroup, two_instances_side_by_side)
{
	struct cgroup_host other;
	struct cgroup_cell c;
	struct err e = {0};

	cr_assert(zero(int, cgroup_host_open(&other, &e)), "%s", e.msg);
	cr_assert(ne(str, host.name, other.name));
	cr_assert(zero(int, cgroup_cell_open(&other, "cell-1", 8, &c, &e)), "%s", e.msg);
	cr_assert(zero(int, cgroup_host_sweep(&e)), "%s", e.msg);
	for (int i = 0; i < other.ntrees; i++) {
		cr_expect(zero(int, faccessat(other.trees[i].parent, other.name, F_OK, 0)));
		cr_expect(zero(int, faccessat(host.trees[i].parent, host.name, F_OK, 0)));
	}
	cr_assert(zero(int, cgroup_cell_close(&c, &e)), "%s", e.msg);
	cr_assert(zero(int, cgroup_host_close(&other, &e)), "%s", e.msg);
}

struct dead_instance {
	char name[16];
	pid_t orphan;
};

/* Leaves a process that has not inherited the locks, as an exec'ed program has not. */
static _Noreturn void instance_that_dies(int report)
{
	struct cgroup_host h;
	struct cgroup_cell c;
	struct cgroup cg;
	struct err e;
	struct dead_instance d = {0};
	int closed[2];
	char end;

	if (cgroup_host_open(&h, &e) < 0 || cgroup_cell_open(&h, "cell-1", 8, &c, &e) < 0 ||
	    cgroup_open(&c, "run-1", &plain, &cg, &e) < 0 || pipe2(closed, O_CLOEXEC) < 0)
		_exit(1);
	d.orphan = fork();
	if (d.orphan == 0) {
		if (cgroup_attach_self(cg.procs_fds, cg.nprocs_fds) != 0)
			_exit(1);
		(void)dup2(closed[1], 3);
		(void)close_range(4, ~0U, 0);
		(void)close(3);
		wait_for_ever();
	}
	close(closed[1]);
	if (read(closed[0], &end, 1) != 0) /* until the orphan has no lock any more */
		_exit(1);
	memcpy(d.name, h.name, sizeof(d.name));
	(void)!write(report, &d, sizeof(d));
	kill(getpid(), SIGKILL);
	_exit(1);
}

Test(cgroup, folders_of_a_dead_instance_are_removed)
{
	struct cgroup_host next;
	struct dead_instance d;
	struct err e = {0};
	int pipefd[2];

	cr_assert(zero(int, pipe2(pipefd, O_CLOEXEC)));
	pid_t pid = fork();

	if (pid == 0)
		instance_that_dies(pipefd[1]);
	cr_assert(YES(WIFSIGNALED(status_of(pid))));
	cr_assert(eq(sz, (size_t)read(pipefd[0], &d, sizeof(d)), sizeof(d)));
	int orphan = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char pid_text[16];

	cr_assert(zero(int, cgroup_host_open(&next, &e)), "%s", e.msg);
	for (int i = 0; i < next.ntrees; i++)
		gone_soon(next.trees[i].parent, d.name);
	snprintf(pid_text, sizeof(pid_text), "%d/exe", (int)d.orphan);
	for (int i = 0; i < 500 && faccessat(orphan, pid_text, F_OK, 0) == 0; i++)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	char exe[8];

	/* Dead, at most a zombie that its new parent has not yet reaped. */
	cr_expect(eq(int, (int)readlinkat(orphan, pid_text, exe, sizeof(exe)), -1));
	cr_assert(zero(int, cgroup_host_close(&next, &e)), "%s", e.msg);
	close(orphan);
	close(pipefd[0]);
	close(pipefd[1]);
}

/*
 * Moves the calling process into a cgroup of its own, as systemd does for a unit with Delegate=yes, owned by uid, and
 * becomes that user.  The folder is made beneath the host's, so that it goes with it.
 */
static void delegate(uid_t uid)
{
	static const char *const files[] = {".", "cgroup.procs", "cgroup.subtree_control",
					    "cgroup.threads"};
	struct err e = {0};
	AUTO_CLOSE int dir = cgroup_dir_make(host.trees[0].dir, "delegated", &e);

	if (dir < 0)
		errx(1, "%s", e.msg);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (fchownat(dir, files[i], uid, uid, 0) < 0)
			err(1, "%s", files[i]);
	if (cgroup_dir_write(dir, "cgroup.procs", "0", &e) < 0)
		errx(1, "%s", e.msg);
	if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		err(1, "uid %d", (int)uid);
	prctl(PR_SET_DUMPABLE, 1); /* or /proc/self would be root's */
}

static bool in_own_cgroup_again(const char *name)
{
	char text[512] = "";
	AUTO_CLOSE int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	char tail[64];

	snprintf(tail, sizeof(tail), "%s/delegated\n", name);
	return n > 0 && strstr(text, tail);
}

/* A whole instance, in a process of its own. */
static _Noreturn void delegated_instance(uid_t uid)
{
	char name[sizeof(host.name)];
	struct cgroup_host h;
	struct cgroup_cell c;
	struct cgroup cg;
	struct err e = {0};
	uint64_t kills;
	bool at_limit;

	memcpy(name, host.name, sizeof(name));
	delegate(uid);
	if (cgroup_host_open(&h, &e) < 0 || cgroup_cell_open(&h, "cell-1", 8, &c, &e) < 0 ||
	    cgroup_open(&c, "run-1", &plain, &cg, &e) < 0)
		errx(1, "%s", e.msg);
	if (!h.moved)
		errx(1, "not moved into a leaf");
	int status = status_of(spawn(&cg, bomb));

	if (cgroup_oom_kills(&cg, &kills, &at_limit, &e) < 0)
		errx(1, "%s", e.msg);
	if (!WIFSIGNALED(status) || kills == 0 || !at_limit)
		errx(1, "the memory limit does not hold");
	if (cgroup_close(&cg, &e) < 0 || cgroup_cell_close(&c, &e) < 0 ||
	    cgroup_host_close(&h, &e) < 0)
		errx(1, "%s", e.msg);
	if (!in_own_cgroup_again(name))
		errx(1, "not moved back");
	_exit(0);
}

static void delegated(uid_t uid)
{
	struct err e = {0};

	if (strcmp(host.ops->name, "v2") != 0)
		cr_skip_test("delegation: needs cgroup v2, this machine has %s", host.ops->name);
	if (geteuid() != 0)
		cr_skip_test("delegation: needs root, to delegate");
	pid_t pid = fork();

	if (pid == 0)
		delegated_instance(uid);
	cr_assert(zero(int, status_of(pid)));
	cr_assert(zero(int, cgroup_dir_remove(host.trees[0].dir, "delegated", 5000, &e)), "%s",
		  e.msg);
}

Test(cgroup, alone_in_a_delegated_cgroup_it_moves_aside_and_back)
{
	delegated(0);
}

Test(cgroup, works_without_root_in_a_delegated_cgroup)
{
	delegated(65534);
}

/* Refusals. */

static void refused(const struct cgroup_cell *c, const char *name, const struct cgroup_limits *l,
		    const char *expected)
{
	struct cgroup cg;
	struct err e = {0};

	cr_assert(eq(int, cgroup_open(c, name, l, &cg, &e), -1), "%s was accepted", expected);
	cr_expect(strstr(e.msg, expected) != NULL, "'%s' does not say '%s'", e.msg, expected);
	gone(cell.dirs[0], "run-1");
}

Test(cgroup, bad_requests_are_refused)
{
	struct cgroup_limits l = plain;

	refused(&cell, "", &plain, "is no name");
	refused(&cell, "../x", &plain, "'../x' is no name");
	refused(&cell, "init", &plain, "is no name");
	refused(&cell, "a\nb", &plain, "is no name");
	l.memory_bytes = 0;
	refused(&cell, "run-1", &l, "memory_bytes 0");
	l = plain;
	l.processes = 0;
	refused(&cell, "run-1", &l, "processes 0");
	l = plain;
	l.processes = UINT32_MAX;
	refused(&cell, "run-1", &l, "pids.max");
	l = plain;
	l.cpu = 4000;
	refused(&cell, "run-1", &l,
		host.controllers & 1U << CGROUP_CPUSET ? "cpuset.cpus" : "cpu 4000");
}

Test(cgroup, missing_controllers_are_named)
{
	struct cgroup_host without = host;
	struct cgroup_cell c = cell;
	struct cgroup_limits l = plain;

	c.host = &without;
	without.controllers &= ~(1U << CGROUP_CPU | 1U << CGROUP_CPUSET);
	snprintf(without.why_not_cpu, sizeof(without.why_not_cpu), "nobody mounted it");
	snprintf(without.why_not_cpuset, sizeof(without.why_not_cpuset), "not delegated");
	l.cpu_milli = 500;
	refused(&c, "run-1", &l, "cpu_milli 500 cannot be enforced: nobody mounted it");
	l = plain;
	l.cpu = 0;
	refused(&c, "run-1", &l, "cpu 0 cannot be enforced: not delegated");
}

Test(cgroup, a_name_cannot_be_used_twice)
{
	struct cgroup cg;
	struct cgroup second;
	struct err e = {0};

	run_open(&cg, &plain);
	cr_assert(eq(int, cgroup_open(&cell, "run-1", &plain, &second, &e), -1));
	cr_expect(strstr(e.msg, "File exists") != NULL, "%s", e.msg);
	for (int i = 0; i < host.ntrees; i++)
		cr_expect(cg.dirs[i] < 0 || faccessat(cell.dirs[i], "run-1", F_OK, 0) == 0);
	run_close(&cg);
}

Test(cgroup, description_names_version_and_controllers)
{
	char text[128];
	char small[8];

	cgroup_host_describe(&host, text, sizeof(text));
	cr_expect(text[0] == 'v' && strstr(text, " memory pids cpuacct") != NULL, "%s", text);
	cgroup_host_describe(&host, small, sizeof(small));
	cr_expect(eq(sz, strlen(small), 7));
}

/* Against a made-up tree: what one machine alone cannot show. */

static char tree[] = "/tmp/gavel-test-cgroup-XXXXXX";
static int root = -1;

static void tree_setup(void)
{
	cr_assert(ne(ptr, mkdtemp(tree), NULL));
	root = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert(ge(int, root, 0));
}

static void tree_teardown(void)
{
	char *argv[] = {"rm", "-rf", tree, NULL};
	pid_t pid = fork();

	if (pid == 0) {
		execv("/bin/rm", argv);
		_exit(1);
	}
	cr_expect(zero(int, status_of(pid)));
	close(root);
}

TestSuite(cgroup_tree, .init = tree_setup, .fini = tree_teardown, .timeout = 60);

/* Writes a file in the tree, with the folders it is in. */
static void put(const char *path, const char *text)
{
	char part[256];
	struct err e = {0};

	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(p - path), path);
		cr_assert(mkdirat(root, part, 0755) == 0 || errno == EEXIST);
	}
	AUTO_CLOSE int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	cr_assert(zero(int, io_write_all(fd, text, strlen(text), &e)), "%s", e.msg);
}

static struct cgroup_found found(const char *mounts, const char *cgroups)
{
	struct cgroup_found f;
	struct err e = {0};

	put("proc/self/mountinfo", mounts);
	put("proc/self/cgroup", cgroups);
	cr_assert(zero(int, cgroup_find(root, &f, &e)), "%s", e.msg);
	return f;
}

#define MOUNT_V2 "30 25 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1(n, names)                                                                               \
	"4" n " 31 0:3" n " / /sys/fs/cgroup/" names " rw shared:9 - cgroup cgroup rw," names "\n"

Test(cgroup_tree, finds_v2)
{
	put("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory hugetlb pids\n");
	struct cgroup_found f = found("22 1 8:1 / / rw - ext4 /dev/vda rw\n" MOUNT_V2,
				      "0::/user.slice/session-1.scope\n");

	cr_assert(eq(int, f.version, 2));
	cr_assert(eq(str, f.places[0].own, "/sys/fs/cgroup/user.slice/session-1.scope"));
	cr_assert(eq(str, f.places[0].mount, "/sys/fs/cgroup"));
}

Test(cgroup_tree, finds_v1_where_v2_has_no_controllers)
{
	put("sys/fs/cgroup/unified/cgroup.controllers", "hugetlb\n");
	struct cgroup_found f = found(
		"30 25 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n" V1("1", "memory")
			V1("2", "cpu,cpuacct") V1("3", "pids") V1("4", "freezer"),
		"5:freezer:/\n4:pids:/a\n3:cpu,cpuacct:/\n2:memory:/b/c\n1:name=systemd:/x\n0::/"
		"\n");

	cr_assert(eq(int, f.version, 1));
	cr_assert(f.hybrid);
	cr_assert(eq(int, f.n, 3));
	cr_expect(eq(str, f.places[0].own, "/sys/fs/cgroup/pids/a"), "pids is first");
	cr_expect(eq(str, f.places[1].own, "/sys/fs/cgroup/memory/b/c"));
	cr_expect(eq(str, f.places[2].own, "/sys/fs/cgroup/cpu,cpuacct"));
	cr_expect(eq(uint, f.places[2].controllers, 1U << CGROUP_CPU | 1U << CGROUP_CPUACCT));
}

Test(cgroup_tree, finds_v1_in_a_container_and_behind_a_blank)
{
	struct cgroup_found f =
		found("41 31 0:31 /box/7 /cg/me\\040mory ro - cgroup cgroup rw,memory\n"
		      "42 31 0:32 /box/7 /cg/pids ro - cgroup cgroup rw,pids\n"
		      "43 31 0:33 /box/70 /cg/wrong ro - cgroup cgroup rw,cpuacct\n"
		      "44 31 0:33 / /cg/cpuacct ro - cgroup cgroup rw,cpuacct\n",
		      "3:cpuacct:/box/7\n2:memory:/box/7\n1:pids:/box/7/inner\n");

	cr_assert(eq(int, f.n, 3));
	cr_expect(eq(str, f.places[0].own, "/cg/pids/inner"));
	cr_expect(eq(str, f.places[1].own, "/cg/me mory"));
	cr_expect(eq(str, f.places[2].own, "/cg/cpuacct/box/7"));
}

Test(cgroup_tree, nothing_mounted_is_an_error)
{
	struct cgroup_found f;
	struct err e = {0};

	put("proc/self/mountinfo", "garbage\n\n22 1 8:1 / / rw - ext4 /dev/vda rw\n");
	put("proc/self/cgroup", "0::/\n:\nx\n");
	cr_assert(eq(int, cgroup_find(root, &f, &e), -1));
	cr_expect(strstr(e.msg, "the pids controller") != NULL, "%s", e.msg);
}

static void host_refused(const char *expected)
{
	struct cgroup_host h;
	struct err e = {0};

	cr_assert(eq(int, cgroup_host_open_at(&h, root, &e), -1));
	cr_expect(strstr(e.msg, expected) != NULL, "'%s' does not say '%s'", e.msg, expected);
}

static void v2_tree(const char *controllers)
{
	put("proc/cmdline", "quiet\n");
	put("proc/self/mountinfo", MOUNT_V2);
	put("proc/self/cgroup", "0::/a\n");
	put("sys/fs/cgroup/cgroup.controllers", "memory pids\n");
	put("sys/fs/cgroup/cgroup.subtree_control", "\n");
	put("sys/fs/cgroup/cgroup.procs", "");
	put("sys/fs/cgroup/cgroup.type",
	    "domain\n"); /* the root of a namespace, not of the hierarchy */
	put("sys/fs/cgroup/a/cgroup.controllers", controllers);
	put("sys/fs/cgroup/a/cgroup.subtree_control", "\n");
	put("sys/fs/cgroup/a/cgroup.type", "domain\n");
	put("sys/fs/cgroup/a/cgroup.procs", "1\n2\n");
}

Test(cgroup_tree, v2_says_why_there_is_no_place)
{
	v2_tree("memory pids cpu\n");
	host_refused("/sys/fs/cgroup/a has other processes in it");
	host_refused("systemd-run --scope -p Delegate=yes");
	v2_tree("cpu\n");
	host_refused("/sys/fs/cgroup/a the controllers memory and pids are not delegated to it");
}

/* The folder in which an instance that is started in /a/leaf would make its own, or what the error says. */
static const char *place_in_leaf(struct err *e)
{
	static struct cgroup_host h;
	struct cgroup_found f;

	put("proc/self/cgroup", "0::/a/leaf\n");
	put("sys/fs/cgroup/a/leaf/cgroup.controllers", "memory pids\n");
	put("sys/fs/cgroup/a/leaf/cgroup.subtree_control", "\n");
	put("sys/fs/cgroup/a/leaf/cgroup.type", "domain\n");
	put("sys/fs/cgroup/a/leaf/cgroup.procs", "1\n2\n");
	h = (struct cgroup_host){0};
	cr_assert(zero(int, cgroup_find(root, &f, e)), "%s", e->msg);
	if (cgroup_v2_ops.place(&h, root, &f, e) < 0)
		return e->msg;
	close(h.trees[0].parent);
	return h.trees[0].path;
}

Test(cgroup_tree, v2_in_a_leaf_the_folder_above_is_used)
{
	struct err e = {0};

	v2_tree("memory pids\n");
	cr_expect(strstr(place_in_leaf(&e), "/a/leaf has other processes in it") != NULL,
		  "the folder above hands nothing down: %s", e.msg);
	put("sys/fs/cgroup/a/cgroup.subtree_control", "pids\n");
	cr_expect(strstr(place_in_leaf(&e), "/a/leaf has other processes in it") != NULL, "%s",
		  e.msg);
	put("sys/fs/cgroup/a/cgroup.subtree_control", "memory pids\n");
	cr_expect(eq(str, (char *)place_in_leaf(&e), "/sys/fs/cgroup/a"));
}

/* What systemd has not marked as given away is not touched, however much its owner may write to it. */
Test(cgroup_tree, v2_of_systemd_only_what_was_delegated)
{
	struct err e = {0};

	v2_tree("memory pids\n");
	put("sys/fs/cgroup/a/cgroup.subtree_control", "memory pids\n");
	put("run/systemd/system/x", "");
	cr_expect(strstr(place_in_leaf(&e), "/a/leaf has other processes in it") != NULL, "%s",
		  e.msg);
	AUTO_CLOSE int a = openat(root, "sys/fs/cgroup/a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fsetxattr(a, "user.delegate", "0", 1, 0) < 0) {
		tree_teardown(); /* a skipped test has none */
		cr_skip_test("no extended attributes in /tmp: %s", strerror(errno));
	}
	cr_expect(strstr(place_in_leaf(&e), "/a/leaf has other processes in it") != NULL, "%s",
		  e.msg);
	cr_assert(zero(int, fsetxattr(a, "user.delegate", "1", 1, 0)));
	cr_expect(eq(str, (char *)place_in_leaf(&e), "/sys/fs/cgroup/a"));
}

Test(cgroup_tree, memory_that_is_not_counted_is_refused)
{
	v2_tree("memory pids\n");
	put("proc/cmdline", "ro cgroup.memory=nosocket,nokmem quiet\n");
	host_refused("booted with 'cgroup.memory=nosocket,nokmem'");
}

/* A run of v2 whose files are ordinary ones. */
static void v2_run(struct cgroup *cg)
{
	static struct cgroup_host h;
	static struct cgroup_cell c;
	struct err e = {0};

	h = (struct cgroup_host){.ops = &cgroup_v2_ops, .ntrees = 1};
	h.trees[0].controllers = 31;
	c = (struct cgroup_cell){.host = &h};
	*cg = (struct cgroup){.cell = &c};
	put("run/pids.current", "3\n");
	put("run/memory.current", "5000000\n");
	put("run/memory.events", "low 0\nhigh 0\nmax 12\noom 2\noom_kill 4\noom_group_kill 1\n");
	put("run/cpu.stat", "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n"
			    "nr_periods 3\nnr_throttled 1\nthrottled_usec 77\n");
	put("run/memory.stat", "anon 4096\nfile 12288\nkernel 100\nkernel_stack 50\nshmem 8192\n");
	cg->dirs[0] = openat(root, "run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert(zero(int, cgroup_v2_ops.watch(cg, &e)), "%s", e.msg);
}

Test(cgroup_tree, v2_counters_are_read)
{
	struct cgroup cg;
	struct cgroup_usage u;
	struct err e = {0};
	uint64_t kills;
	uint64_t us;
	bool at_limit;

	v2_run(&cg);
	cr_assert(zero(int, cgroup_sample(&cg, &e)), "%s", e.msg);
	cr_assert(zero(int, cgroup_usage(&cg, &u, &e)), "%s", e.msg);
	cr_assert(zero(int, cgroup_cpu_usage_us(&cg, &us, &e)), "%s", e.msg);
	oom_state(&cg, &kills, &at_limit);
	cr_expect(eq(u64, us, 1500));
	cr_expect(eq(u64, u.cpu_us, 1500));
	cr_expect(eq(u64, u.user_us, 1000));
	cr_expect(eq(u64, u.system_us, 500));
	cr_expect(eq(u64, u.throttled_us, 77));
	cr_expect(eq(u64, u.split.anon_bytes, 4995904 - 8192 - 100), "what the others leave");
	cr_expect(eq(u64, u.split.shmem_bytes, 8192));
	cr_expect(eq(u64, u.split.file_bytes, 4096));
	cr_expect(eq(u64, u.split.kernel_bytes, 100));
	cr_expect(eq(u64, u.memory_peak_bytes, 5000000 - 4096), "without page cache");
	cr_expect(u.memory_peak_sampled);
	cr_expect(eq(u32, u.processes_peak, 3));
	cr_expect(u.processes_peak_sampled);
	cr_expect(eq(u64, kills, 4));
	cr_expect(at_limit);
}

Test(cgroup_tree, v2_uses_the_kernels_peaks_where_it_keeps_them)
{
	struct cgroup cg;
	struct cgroup_usage u;
	struct err e = {0};

	put("run/memory.peak", "6000000\n");
	put("run/pids.peak", "9\n");
	v2_run(&cg);
	put("run/memory.stat", "anon 1\nfile 1\nkernel_stack 16\npagetables 8\nslab 4\nshmem 0\n");
	put("run/memory.events", "oom 0\noom_kill 1\n");
	cr_assert(zero(int, cgroup_sample(&cg, &e)), "%s", e.msg);
	cr_assert(zero(int, cgroup_usage(&cg, &u, &e)), "%s", e.msg);
	cr_expect(eq(u64, u.memory_peak_bytes, 6000000 - 1));
	cr_expect(zero(int, u.memory_peak_sampled));
	cr_expect(eq(u32, u.processes_peak, 9));
	cr_expect(eq(u64, u.split.kernel_bytes, 28), "sum of the parts");
	uint64_t kills;
	bool at_limit;

	oom_state(&cg, &kills, &at_limit);
	cr_expect(eq(u64, kills, 1));
	cr_expect(zero(int, at_limit), "the machine ran out of memory, not the run");
}

Test(cgroup_tree, page_cache_is_not_the_programs)
{
	struct cgroup cg;
	struct cgroup_usage u;
	struct err e = {0};

	put("run/memory.peak", "5000000\n");
	v2_run(&cg);
	put("run/memory.stat", "anon 3000000\nfile 1000000\nkernel 500\nshmem 0\n");
	cr_assert(zero(int, cgroup_usage(&cg, &u, &e)), "%s", e.msg);
	cr_expect(eq(u64, u.memory_peak_bytes, 4000000));
	cr_expect(eq(u64, u.split.file_bytes, 1000000));
	/* More of it later, when the peak was over, takes nothing off what a sample has seen. */
	cr_assert(zero(int, cgroup_sample(&cg, &e)), "%s", e.msg);
	put("run/memory.stat", "anon 0\nfile 4500000\nkernel 500\nshmem 0\n");
	cr_assert(zero(int, cgroup_sample(&cg, &e)), "%s", e.msg);
	cr_assert(zero(int, cgroup_usage(&cg, &u, &e)), "%s", e.msg);
	cr_expect(eq(u64, u.memory_peak_bytes, 4000000));
	/* Too little left to be worth a look. */
	put("run/memory.current", "500000\n");
	cg.own_peak_bytes = 0;
	cr_assert(zero(int, cgroup_usage(&cg, &u, &e)), "%s", e.msg);
	cr_expect(eq(u64, u.memory_peak_bytes, 5000000));
}

Test(cgroup_tree, garbage_in_a_counter_is_an_error)
{
	struct cgroup cg;
	struct cgroup_usage u;
	struct err e = {0};

	v2_run(&cg);
	put("run/cpu.stat", "usage_usec max\nuser_usec 1\nsystem_usec 1\n");
	cr_assert(eq(int, cgroup_usage(&cg, &u, &e), -1));
	cr_expect(strstr(e.msg, "cpu.stat lacks 'usage_usec'") != NULL, "%s", e.msg);
	put("run/memory.current", "max\n");
	cr_assert(eq(int, cgroup_sample(&cg, &e), -1));
	cr_expect(strstr(e.msg, "memory.current: 'max' is not a number") != NULL, "%s", e.msg);
}

Test(cgroup_tree, a_limit_that_reads_back_differently_is_refused)
{
	struct cgroup cg;
	struct err e = {0};

	v2_run(&cg);
	cg.limits = plain;
	/* An ordinary file keeps what follows a shorter value, as a kernel might clamp it. */
	put("run/memory.max", "999999999999999\n");
	cr_assert(eq(int, cgroup_v2_ops.limit(&cg, &e), -1));
	cr_expect(strstr(e.msg, "memory.max became 67108864") != NULL, "%s", e.msg);
	put("run/memory.max", "");
	cr_assert(eq(int, cgroup_v2_ops.limit(&cg, &e), -1));
	cr_expect(strstr(e.msg, "memory.oom.group") != NULL, "%s", e.msg);
}

Test(cgroup_tree, a_number_is_all_digits)
{
	uint64_t v;

	cr_expect(cgroup_dir_number("18446744073709551615", &v));
	cr_expect(eq(u64, v, UINT64_MAX));
	cr_expect(zero(int, cgroup_dir_number("18446744073709551616", &v)));
	cr_expect(zero(int, cgroup_dir_number("", &v)));
	cr_expect(zero(int, cgroup_dir_number("-1", &v)));
	cr_expect(zero(int, cgroup_dir_number("12 ", &v)));
	cr_expect(zero(int, cgroup_dir_key("xoom 1\noom_kill 2", "oom", &v)));
	cr_expect(cgroup_dir_key("xoom 1\noom_kill 2", "oom_kill", &v));
	cr_expect(eq(u64, v, 2));
	cr_expect(cgroup_dir_word("cpuset cpu", "cpu"));
	cr_expect(zero(int, cgroup_dir_word("cpuset cpuacct", "cpu")));
}
