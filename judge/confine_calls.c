#include "judge/confine_calls.h"

#include <errno.h>
#include <linux/prctl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"

/* Names, not numbers: what this architecture lacks is skipped. */
static const char *const allowed[] = {
	/* files: what may be opened is Landlock's business */
	"read",
	"write",
	"readv",
	"writev",
	"pread64",
	"pwrite64",
	"preadv",
	"pwritev",
	"lseek",
	"open",
	"openat",
	"openat2",
	"close",
	"close_range",
	"dup",
	"dup2",
	"dup3",
	"fcntl",
	"stat",
	"fstat",
	"lstat",
	"newfstatat",
	"statx",
	"statfs",
	"fstatfs",
	"access",
	"faccessat",
	"faccessat2",
	"readlink",
	"readlinkat",
	"getdents64",
	"getcwd",
	"umask",
	/* SQLite, the folder of the state, memory files */
	"mkdir",
	"mkdirat",
	"unlink",
	"unlinkat",
	"rmdir",
	"rename",
	"renameat",
	"renameat2",
	"ftruncate",
	"fallocate",
	"flock",
	"fsync",
	"fdatasync",
	"syncfs",
	"chmod",
	"fchmod",
	"fchmodat",
	"utimensat",
	"memfd_create",
	"sendfile",
	"copy_file_range",
	"fadvise64",
	/* memory; mmap and mprotect have rows of their own */
	"munmap",
	"mremap",
	"brk",
	"madvise",
	"membarrier",
	/* threads */
	"futex",
	"set_robust_list",
	"get_robust_list",
	"set_tid_address",
	"rseq",
	"gettid",
	"sched_yield",
	"sched_getaffinity",
	"sched_getscheduler",
	"sched_getparam",
	"sched_get_priority_max",
	"sched_get_priority_min",
	"getcpu",
	"exit",
	"exit_group",
	/* signals to itself: rt_sigtimedwait is how it waits for its end */
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigtimedwait",
	"rt_sigpending",
	"rt_sigsuspend",
	"sigaltstack",
	"restart_syscall",
	"pause",
	/* time */
	"clock_gettime",
	"clock_getres",
	"clock_nanosleep",
	"nanosleep",
	"gettimeofday",
	"time",
	"timerfd_create",
	"timerfd_settime",
	/* waiting */
	"poll",
	"ppoll",
	"select",
	"pselect6",
	"epoll_create1",
	"epoll_ctl",
	"epoll_wait",
	"epoll_pwait",
	"epoll_pwait2",
	"eventfd2",
	"pipe2",
	/* clients and cells */
	"bind",
	"listen",
	"accept",
	"accept4",
	"connect",
	"getsockname",
	"getpeername",
	"setsockopt",
	"getsockopt",
	"sendmsg",
	"recvmsg",
	"sendto",
	"recvfrom",
	"sendmmsg",
	"recvmmsg",
	"shutdown",
	"socketpair",
	/* what libraries ask about */
	"getpid",
	"getppid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"getgroups",
	"getrandom",
	"uname",
	"sysinfo",
	"times",
	"getrusage",
	"getrlimit",
	"arch_prctl",
};

/* Nothing in judged or its libraries makes these: somebody else is in control. */
static const char *const deadly[] = {
	"execve",
	"execveat",
	"fork",
	"vfork",
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	"pidfd_getfd",
	"unshare",
	"setns",
	"mount",
	"umount2",
	"pivot_root",
	"chroot",
	"fsopen",
	"open_tree",
	"move_mount",
	"mount_setattr",
	"bpf",
	"init_module",
	"finit_module",
	"delete_module",
	"kexec_load",
	"io_uring_setup",
	"userfaultfd",
	"perf_event_open",
	"open_by_handle_at",
	"add_key",
	"request_key",
	"keyctl",
};

/* Allowed under a condition; one row an alternative.  The value is compared after the mask. */
static const struct {
	const char *name;
	unsigned arg;
	uint64_t mask, value;
} guarded[] = {
	/* Code is mapped from files, by the loader; nothing is both written and run. */
	{"mmap", 2, PROT_EXEC, 0},
	{"mmap", 2, PROT_WRITE | PROT_EXEC, PROT_EXEC},
	{"mprotect", 2, PROT_EXEC, 0},
	/* A thread is no child.  clone3 hides its flags: libc takes ENOSYS for an answer. */
	{"clone", 0, CLONE_THREAD, CLONE_THREAD},
	{"socket", 0, UINT32_MAX, AF_UNIX},
	{"socket", 0, UINT32_MAX, AF_INET},
	{"socket", 0, UINT32_MAX, AF_INET6},
	{"socket", 0, UINT32_MAX, AF_NETLINK}, /* getaddrinfo(3) asks for addresses */
	{"ioctl", 1, UINT32_MAX, FIONBIO},
	{"ioctl", 1, UINT32_MAX, FIONREAD},
	{"ioctl", 1, UINT32_MAX, TCGETS}, /* isatty(3) of the log */
	{"prctl", 0, UINT32_MAX, PR_SET_NAME},
	{"prctl", 0, UINT32_MAX, PR_GET_NAME},
	{"prctl", 0, UINT32_MAX, 0x53564d41}, /* PR_SET_VMA, names of mappings */
	{"prlimit64", 0, UINT32_MAX, 0},      /* its own limits */
};

static int add(scmp_filter_ctx f, uint32_t action, const char *name, unsigned n,
	       const struct scmp_arg_cmp *cmp, struct err *e)
{
	int nr = seccomp_syscall_resolve_name(name);
	int rc;

	if (nr == __NR_SCMP_ERROR)
		return err_set(e, "seccomp: '%s' is no system call", name);
	if (nr < 0)
		return 0; /* of another architecture */
	rc = seccomp_rule_add_array(f, action, nr, n, cmp);
	if (rc == 0)
		return 0;
	errno = -rc;
	return err_sys(e, "seccomp rule for %s", name);
}

/* abort(3) and raise(3) signal the caller: every call that signals by number takes its own pid only. */
static int add_signals(scmp_filter_ctx f, struct err *e)
{
	static const char *const calls[] = {"kill", "tgkill", "rt_sigqueueinfo",
					    "rt_tgsigqueueinfo"};
	const struct scmp_arg_cmp self =
		SCMP_A0_32(SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint32_t)getpid());

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (add(f, SCMP_ACT_ALLOW, calls[i], 1, &self, e) < 0)
			return -1;
	return 0;
}

static int fill(scmp_filter_ctx f, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		if (add(f, SCMP_ACT_ALLOW, allowed[i], 0, NULL, e) < 0)
			return -1;
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		if (add(f, SCMP_ACT_KILL_PROCESS, deadly[i], 0, NULL, e) < 0)
			return -1;
	for (size_t i = 0; i < ARRAY_LEN(guarded); i++) {
		const struct scmp_arg_cmp cmp = SCMP_CMP(guarded[i].arg, SCMP_CMP_MASKED_EQ,
							 guarded[i].mask, guarded[i].value);

		if (add(f, SCMP_ACT_ALLOW, guarded[i].name, 1, &cmp, e) < 0)
			return -1;
	}
	/* A child, rather than a thread, is as deadly as fork(2). */
	const struct scmp_arg_cmp child = SCMP_CMP(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0);

	if (add(f, SCMP_ACT_KILL_PROCESS, "clone", 1, &child, e) < 0 ||
	    add(f, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL, e) < 0)
		return -1;
	return add_signals(f, e);
}

static int load(scmp_filter_ctx f, struct err *e)
{
	int rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_LOG, 1);

	/* A binary tree instead of a list: every call of judged passes here. */
	if (rc == 0)
		rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (rc == 0 && fill(f, e) < 0)
		return -1;
	if (rc == 0)
		rc = seccomp_load(f);
	if (rc == 0)
		return 0;
	errno = -rc;
	return err_sys(e, "seccomp filter");
}

int confine_calls(struct err *e)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc;

	if (!f)
		return err_set(e, "seccomp filter: out of memory");
	rc = load(f, e);
	seccomp_release(f);
	return rc;
}
