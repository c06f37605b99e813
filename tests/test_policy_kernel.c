#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "tests/policy_run.h"

/* What the kernel does with the shipped policies. */
static const char *const policies[] = {"base", "native", "managed", "compiler", "network"};

static struct policy load(const char *name)
{
	struct policy p;
	struct err e = {0};

	cr_assert(zero(int, policy_load(&p, "rules/seccomp", name, &e)), "%s", e.msg);
	return p;
}

/* One call; the child's exit code is its errno, 0 for success. */
struct call {
	long nr;
	long args[6];
};

static int make_call(const void *arg)
{
	const struct call *c = arg;
	long rc = syscall(c->nr, c->args[0], c->args[1], c->args[2], c->args[3], c->args[4],
			  c->args[5]);

	return rc < 0 ? errno : 0;
}

static void expect_errno(const char *policy, const struct call *c, int num)
{
	struct policy p = load(policy);
	struct run_result r = policy_run(&p, make_call, c);

	cr_expect(eq(str, r.failure, ""));
	cr_expect(eq(str, r.call.name, ""));
	cr_expect(eq(int, r.exit_code, num), "%s: call %ld(0x%lx, 0x%lx)", policy, c->nr,
		  c->args[0], c->args[1]);
	policy_release(&p);
}

static void expect_kill(const char *policy, run_fn *fn, const void *arg, const char *name)
{
	struct policy p = load(policy);
	struct run_result r = policy_run(&p, fn, arg);

	cr_expect(eq(str, r.failure, ""));
	cr_expect(eq(str, r.call.name, (char *)name), "%s", policy);
	cr_expect(eq(int, r.exit_code, 128 + SIGKILL));
	cr_expect(gt(int, r.call.pid, 0));
	policy_release(&p);
}

Test(policy_kernel, answers, .timeout = 60)
{
	static const struct {
		struct call call;
		int num;
	} cases[] = {
		{{SYS_getpid, {0}}, 0},
		{{999, {0}}, ENOSYS},
		{{470, {0}}, ENOSYS},
		{{462, {0}}, ENOSYS}, /* mseal */
		{{457, {0}}, ENOSYS}, /* statmount */
		{{-1, {0}}, ENOSYS},
		{{SYS_clone3, {0}}, ENOSYS},
		{{SYS_io_uring_setup, {1, 0}}, ENOSYS},
		{{SYS_seccomp, {SECCOMP_GET_ACTION_AVAIL}}, ENOSYS},
		{{SYS_prctl, {PR_SET_SECCOMP, 2, 0}}, EINVAL},
		{{SYS_prctl, {PR_GET_DUMPABLE}}, 0},
		{{SYS_keyctl, {0}}, EPERM},
		{{SYS_userfaultfd, {0}}, EPERM},
		{{SYS_perf_event_open, {0}}, EPERM},
		{{SYS_chroot, {(long)"/"}}, EPERM},
		{{SYS_ioctl, {0, TIOCSTI, (long)"x"}}, EPERM},
		{{SYS_ioctl, {0, TIOCSTI | (1L << 32), (long)"x"}}, EPERM},
		{{SYS_ioctl, {-1, TIOCGWINSZ, 0}}, EBADF},
		{{SYS_ioctl, {-1, 0xdead, 0}}, ENOTTY},
		{{SYS_prlimit64, {1, RLIMIT_CPU, 0, 0}}, EPERM},
		{{SYS_prlimit64, {0, RLIMIT_CPU, 0, 0}}, 0},
		{{SYS_setpriority, {PRIO_PROCESS, 1, 5}}, EPERM},
		{{SYS_setpriority, {PRIO_PROCESS, 0, 5}}, 0},
		{{SYS_personality, {0xffffffff}}, 0},
		{{SYS_personality, {ADDR_NO_RANDOMIZE}}, 0},
		{{SYS_personality, {READ_IMPLIES_EXEC}}, EPERM},
		{{SYS_mknodat, {AT_FDCWD, (long)"/dev/none/x", S_IFBLK | 0600, 0}}, EPERM},
		{{SYS_mknodat, {AT_FDCWD, (long)"/none/x", S_IFIFO | 0600, 0}}, ENOENT},
		{{SYS_shmget, {0, 4096, 0600}}, ENOSYS},
		{{SYS_clone, {CLONE_PARENT | SIGCHLD, 0, 0, 0, 0}}, EPERM},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect_errno("native", &cases[i].call, cases[i].num);
}

Test(policy_kernel, sockets, .timeout = 60)
{
	int pair[2];
	struct call unix_pair = {SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, (long)pair}};
	struct call inet = {SYS_socket, {AF_INET, SOCK_STREAM, 0}};
	struct call packet = {SYS_socket, {AF_PACKET, SOCK_RAW, 0}};
	struct call raw = {SYS_socket, {AF_INET, SOCK_RAW, 1}};

	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		bool network = strcmp(policies[i], "network") == 0;

		expect_errno(policies[i], &unix_pair, 0);
		expect_errno(policies[i], &inet, network ? 0 : EAFNOSUPPORT);
		expect_errno(policies[i], &packet, EAFNOSUPPORT);
		expect_errno(policies[i], &raw, EAFNOSUPPORT);
	}
}

/* A file that two cells can read must not become a way to talk, in any language. */
Test(policy_kernel, shared_files_carry_no_messages, .timeout = 60)
{
	static const struct {
		struct call call;
		int num;
	} cases[] = {
		{{SYS_flock, {0, LOCK_SH | LOCK_NB}}, ENOLCK},
		{{SYS_fcntl, {0, F_SETLK, 0}}, ENOLCK},
		{{SYS_fcntl, {0, F_SETLKW, 0}}, ENOLCK},
		{{SYS_fcntl, {0, F_OFD_SETLK, 0}}, ENOLCK},
		{{SYS_fcntl, {0, F_OFD_SETLKW, 0}}, ENOLCK},
		{{SYS_fcntl, {0, F_GETLK, 0}}, ENOLCK},
		{{SYS_fcntl, {0, F_OFD_GETLK, 0}}, ENOLCK},
		{{SYS_fcntl, {0, F_SETLEASE, F_RDLCK}}, EPERM},
		{{SYS_fcntl, {0, F_NOTIFY, DN_ACCESS}}, EPERM},
		{{SYS_fcntl, {0, F_GETFD}}, 0},
		{{SYS_inotify_init1, {0}}, EPERM},
		{{SYS_fanotify_init, {0, 0}}, EPERM},
	};

	for (size_t p = 0; p < ARRAY_LEN(policies); p++)
		for (size_t i = 0; i < ARRAY_LEN(cases); i++)
			expect_errno(policies[p], &cases[i].call, cases[i].num);
}

static int attach_socket_filter(const void *arg)
{
	struct sock_filter all = {.code = BPF_RET | BPF_K, .k = UINT32_MAX};
	struct sock_fprog filter = {1, &all};
	int pair[2];

	(void)arg;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return 99;
	if (setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &(int){4096}, sizeof(int)) < 0)
		return 98;
	return setsockopt(pair[0], SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0
		       ? errno
		       : 0;
}

/* Calls that are allowed, with the one argument that reaches what all cells share, or code in the kernel. */
Test(policy_kernel, arguments_that_reach_further_are_refused, .timeout = 60)
{
	static char page[4096 * 2];
	char *aligned = page + 4096 - (uintptr_t)page % 4096;
	const struct {
		struct call call;
		int num;
	} cases[] = {
		{{SYS_mmap, {0, 2 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1}},
		 EINVAL},
		{{SYS_memfd_create, {(long)"m", MFD_HUGETLB}}, EINVAL},
		{{SYS_memfd_create, {(long)"m", MFD_CLOEXEC}}, 0},
		{{SYS_madvise, {(long)aligned, 4096, MADV_MERGEABLE}}, EINVAL},
		{{SYS_madvise, {(long)aligned, 4096, MADV_NORMAL}}, 0},
		{{SYS_preadv2, {0, 0, 0, 0, 0, RWF_NOWAIT}}, EOPNOTSUPP},
		{{SYS_fadvise64, {0, 0, 0, POSIX_FADV_DONTNEED}}, EINVAL},
	};

	for (size_t p = 0; p < ARRAY_LEN(policies); p++) {
		struct policy loaded = load(policies[p]);
		struct run_result r = policy_run(&loaded, attach_socket_filter, NULL);

		cr_expect(eq(int, r.exit_code, ENOPROTOOPT), "%s", policies[p]);
		policy_release(&loaded);
		for (size_t i = 0; i < ARRAY_LEN(cases); i++)
			expect_errno(policies[p], &cases[i].call, cases[i].num);
	}
}

/* None of these would do harm if it were let through. */
Test(policy_kernel, kill_class_is_named, .timeout = 60)
{
	static const struct {
		struct call call;
		const char *name;
	} cases[] = {
		{{SYS_ptrace, {-1, 0, 0, 0}}, "ptrace"},
		{{SYS_unshare, {CLONE_NEWUSER}}, "unshare"},
		{{SYS_setns, {-1, 0}}, "setns"},
		{{SYS_mount, {0, 0, 0, 0, 0}}, "mount"},
		{{SYS_umount2, {0, 0}}, "umount2"},
		{{SYS_pivot_root, {0, 0}}, "pivot_root"},
		{{SYS_process_vm_readv, {0}}, "process_vm_readv"},
		{{SYS_process_vm_writev, {0}}, "process_vm_writev"},
		{{SYS_bpf, {-1}}, "bpf"},
		{{SYS_init_module, {0}}, "init_module"},
		{{SYS_reboot, {0}}, "reboot"},
		{{SYS_swapon, {0}}, "swapon"},
		{{SYS_setdomainname, {0, -1}}, "setdomainname"},
		{{SYS_open_by_handle_at, {-1}}, "open_by_handle_at"},
		{{467, {-1, 0}}, "open_tree_attr"},
		{{SYS_clone, {CLONE_NEWUSER | SIGCHLD}}, "clone"},
		{{SYS_clone, {CLONE_NEWNET | SIGCHLD | (1L << 40)}}, "clone"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect_kill("native", make_call, &cases[i].call, cases[i].name);
	for (size_t i = 0; i < ARRAY_LEN(policies); i++)
		expect_kill(policies[i], make_call, &cases[0].call, "ptrace");
}

#if defined(__x86_64__)
static int call_i386(const void *arg)
{
	long rc = *(const int *)arg;

	__asm__ volatile("int $0x80"
			 : "+a"(rc)
			 : "b"(0L), "c"(0L), "d"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)-rc;
}

Test(policy_kernel, i386_is_killed, .timeout = 60)
{
	static const int open_nr = 5, none = 999;

	expect_kill("native", call_i386, &open_nr, "i386:open");
	expect_kill("native", call_i386, &none, "i386:syscall 999");
}

Test(policy_kernel, x32_is_killed, .timeout = 60)
{
	static const struct call x32_read = {0x40000000, {-1}};
	static const struct call x32_ptrace = {0x40000000 + 521, {-1}};
	static const struct call none = {0x40000000 + 999, {-1}};

	expect_kill("native", make_call, &x32_read, "x32:read");
	expect_kill("native", make_call, &x32_ptrace, "x32:ptrace");
	expect_kill("managed", make_call, &none, "x32:syscall 999");
}
#endif

static void *add_one(void *arg)
{
	++*(int *)arg;
	return NULL;
}

static int start_thread(const void *arg)
{
	pthread_t t;
	int n = 0;

	(void)arg;
	if (pthread_create(&t, NULL, add_one, &n) != 0 || pthread_join(t, NULL) != 0)
		return 1;
	return n == 1 ? 0 : 2;
}

static int fork_and_wait(const void *arg)
{
	int status;
	pid_t pid = fork();

	(void)arg;
	if (pid == 0)
		_exit(7);
	return waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7 ? 0 : 1;
}

Test(policy_kernel, threads_and_children_work, .timeout = 60)
{
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		struct policy p = load(policies[i]);

		cr_expect(zero(int, policy_run(&p, start_thread, NULL).exit_code));
		cr_expect(zero(int, policy_run(&p, fork_and_wait, NULL).exit_code));
		policy_release(&p);
	}
}

/* From a thread, and from a grandchild: the caller is named, whoever it is. */
static int grandchild_calls(const void *arg)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (fork() == 0)
			_exit(make_call(arg));
		pause();
	}
	waitpid(pid, NULL, 0);
	return 0;
}

Test(policy_kernel, descendants_are_watched, .timeout = 60)
{
	static const struct call ptrace_call = {SYS_ptrace, {-1}};

	expect_kill("native", grandchild_calls, &ptrace_call, "ptrace");
}

/* A call withdrawn by a signal before it is read is still never made. */
static void on_alarm(int sig)
{
	(void)sig;
	_exit(42);
}

static int call_under_alarm(const void *arg)
{
	struct sigaction action = {.sa_handler = on_alarm};
	struct itimerval soon = {.it_value = {.tv_usec = 20000}};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	(void)make_call(arg);
	return 43;
}

Test(policy_kernel, withdrawn_call_is_no_error, .timeout = 60)
{
	static const struct call unshare_call = {SYS_unshare, {CLONE_NEWUTS}};
	struct policy p = load("native");
	struct err e = {0};
	struct policy_call call;
	int socks[2], status;

	cr_assert(zero(int, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks)));
	pid_t pid = fork();
	if (pid == 0)
		run_child(&p, socks[1], call_under_alarm, &unshare_call);
	AUTO_CLOSE int listener = run_receive_fd(socks[0]);
	cr_assert(ge(int, listener, 0));
	cr_expect(ne(int, fcntl(listener, F_GETFD) & FD_CLOEXEC, 0));
	cr_assert(eq(int, waitpid(pid, &status, 0), pid));
	cr_expect(eq(int, WEXITSTATUS(status), 42));
	cr_expect(eq(int, policy_read_forbidden(listener, &call, &e), 1));
	close(socks[0]);
	close(socks[1]);
	policy_release(&p);
}

static int install_without_no_new_privs(void)
{
	struct policy p = load("native");
	struct err e = {0};
	int listener = -1;

	if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
		return 1;
	if (policy_install(&p, &listener, &e) != -1 || listener != -1)
		return 2;
	return strcmp(e.msg, "seccomp policy native: Permission denied") == 0 ? 0 : 3;
}

Test(policy_kernel, install_reports_failure, .timeout = 60)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(install_without_no_new_privs());
	cr_assert(eq(int, waitpid(pid, &status, 0), pid));
	cr_expect(zero(int, status));
}

Test(policy_kernel, reading_what_is_no_listener_fails)
{
	struct policy_call call;
	struct err e = {0};

	cr_expect(eq(int, policy_read_forbidden(-1, &call, &e), -1));
	cr_expect(eq(str, e.msg, "seccomp listener: Bad file descriptor"));
}
