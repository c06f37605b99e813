/* Checks of the kernel: its version, the calls that a cell is made with, filters, namespaces. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/landlock.h"
#include "proto/scope.h"
#include "sandbox/doctor_checks.h"
#include "sandbox/see.h"

#define KERNEL_MAJOR 5
#define KERNEL_MINOR 12 /* mount_setattr */
#define NOBODY       65534

static void look_version(struct doctor_finding *f)
{
	struct utsname u;
	char *end;

	if (uname(&u) < 0) {
		doctor_missing(f, "uname: %s", strerror(errno));
		return;
	}
	long kernel = strtol(u.release, &end, 10);
	long minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;

	doctor_ok(f, "%s %s %s", u.sysname, see_q(u.release), u.machine);
	if (kernel > KERNEL_MAJOR || (kernel == KERNEL_MAJOR && minor >= KERNEL_MINOR))
		return;
	doctor_missing(f, "%s %s is older than %d.%d", u.sysname, see_q(u.release), KERNEL_MAJOR,
		       KERNEL_MINOR);
	doctor_mend(f, "install a kernel of Linux %d.%d or later", KERNEL_MAJOR, KERNEL_MINOR);
}

/* Each probe makes its call in a way that cannot succeed, or does nothing, and returns the errno value it got, or 0. */
static int probe_clone3(void)
{
	pid_t pids[1] = {2};
	/* More levels than there can be: EINVAL from a kernel that reads the field, E2BIG from one that does not know it. */
	struct clone_args args = {.set_tid = (uintptr_t)pids, .set_tid_size = 1000};

	return syscall(SYS_clone3, &args, sizeof(args)) < 0 ? errno : 0;
}

static int probe_openat2(void)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH};
	AUTO_CLOSE int fd = (int)syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof(how));

	return fd < 0 ? errno : 0;
}

static int probe_mount_setattr(void)
{
	return syscall(SYS_mount_setattr, -1, "", 0, NULL, 0) < 0 ? errno : 0;
}

static int probe_fsopen(void)
{
	return syscall(SYS_fsopen, NULL, 0) < 0 ? errno : 0;
}

static int probe_open_tree(void)
{
	return syscall(SYS_open_tree, -1, NULL, 0) < 0 ? errno : 0;
}

static int probe_close_range(void)
{
	return close_range(~0U, ~0U, 0) < 0 ? errno : 0;
}

static int probe_pidfd(void)
{
	AUTO_CLOSE int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	return fd < 0 ? errno : 0;
}

static int probe_execveat(void)
{
	return syscall(SYS_execveat, -1, "", NULL, NULL, AT_EMPTY_PATH) < 0 ? errno : 0;
}

static int probe_memfd(void)
{
	AUTO_CLOSE int fd = memfd_create("gavel", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	return fd < 0 ? errno : 0;
}

/* E2BIG: a field of the structure is unknown.  EPERM: something around us filters calls. */
static void judge_call(struct doctor_finding *f, const char *name, const char *since, int num)
{
	if (num == ENOSYS || num == E2BIG) {
		doctor_missing(f, "the kernel has no %s", name);
		doctor_mend(f,
			    "it came with Linux %s: install a later kernel, or allow the call if a "
			    "container's seccomp profile hides it",
			    since);
	} else if (num == EPERM) {
		doctor_missing(f, "%s is refused", name);
		doctor_mend(
			f,
			"a seccomp profile or security module around this process forbids it: in a "
			"container, allow it there (docker: --security-opt seccomp=unconfined)");
	} else {
		doctor_ok(f, "there");
	}
}

static void look_clone3(struct doctor_finding *f)
{
	judge_call(f, "clone3 with set_tid", "5.5", probe_clone3());
}

static void look_openat2(struct doctor_finding *f)
{
	judge_call(f, "openat2", "5.6", probe_openat2());
}

static void look_mounts(struct doctor_finding *f)
{
	judge_call(f, "mount_setattr", "5.12", probe_mount_setattr());
	if (f->state != DOCTOR_OK)
		return;
	/* They ask for rights before they look at their arguments, so EPERM says nothing here. */
	if (probe_open_tree() == ENOSYS || probe_fsopen() == ENOSYS)
		judge_call(f, "open_tree or fsopen", "5.2", ENOSYS);
	else
		doctor_ok(f, "mount_setattr, open_tree, fsopen");
}

static void look_close_range(struct doctor_finding *f)
{
	judge_call(f, "close_range", "5.9", probe_close_range());
}

static void look_pidfd(struct doctor_finding *f)
{
	judge_call(f, "pidfd_open", "5.3", probe_pidfd());
}

static void look_exec(struct doctor_finding *f)
{
	judge_call(f, "execveat", "3.19", probe_execveat());
	if (f->state == DOCTOR_OK)
		judge_call(f, "memfd_create with seals", "3.17", probe_memfd());
}

static void look_seccomp(struct doctor_finding *f)
{
	uint32_t action = SECCOMP_RET_USER_NOTIF;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0) {
		doctor_ok(f, "filters, and notification of forbidden calls");
		return;
	}
	doctor_missing(f, "%s",
		       errno == ENOSYS || errno == EINVAL
			       ? "the kernel has no seccomp filters"
			       : "seccomp cannot notify (SECCOMP_RET_USER_NOTIF)");
	doctor_mend(f, "install Linux 5.0 or later, built with CONFIG_SECCOMP_FILTER");
}

static void look_landlock(struct doctor_finding *f)
{
	int abi = landlock_abi();

	if (abi > 0) {
		doctor_ok(f, "ABI %d%s", abi,
			  abi >= 6 ? ""
				   : "; signals and abstract sockets only from ABI 6 (Linux 6.12)");
		return;
	}
	doctor_warn(f, "not in force: one layer less around the file system");
	doctor_mend(f, "Linux 5.19 or later, built with CONFIG_SECURITY_LANDLOCK and booted with "
		       "landlock in lsm= of its command line");
}

static void look_namespaces(struct doctor_finding *f)
{
	static const char *const kinds[] = {"user", "pid", "mnt", "net", "ipc", "uts", "cgroup"};
	char path[64];

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i]);
		if (access(path, F_OK) < 0) {
			doctor_missing(f, "the kernel has no %s namespaces", kinds[i]);
			doctor_mend(f, "use a kernel built with CONFIG_%s",
				    strcmp(kinds[i], "cgroup") == 0 ? "CGROUPS"
								    : "NAMESPACES and its options");
			return;
		}
		snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", kinds[i]);
		if (doctor_number(path) == 0) {
			doctor_missing(f, "user.max_%s_namespaces is 0", kinds[i]);
			doctor_mend(f, "sysctl -w user.max_%s_namespaces=15000", kinds[i]);
			return;
		}
	}
	doctor_ok(f, "user pid mnt net ipc uts cgroup; at most %lld user namespaces",
		  doctor_number("/proc/sys/user/max_user_namespaces"));
}

/* Whether somebody without rights can make one, which only a try tells; -1 if there is nobody to try as. */
static int unprivileged_works(void)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (geteuid() == 0 && (setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
				       setresuid(NOBODY, NOBODY, NOBODY) < 0))
			_exit(2);
		_exit(unshare(CLONE_NEWUSER) < 0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
	    WEXITSTATUS(status) == 2)
		return -1;
	return WEXITSTATUS(status) == 0;
}

static void look_unprivileged(struct doctor_finding *f)
{
	int works = unprivileged_works();

	if (works != 0) {
		doctor_ok(f, works < 0 ? "cannot be tried here; only cells without root need it"
				       : "ordinary users can make user namespaces");
		return;
	}
	if (geteuid() == 0)
		doctor_warn(f, "ordinary users cannot make user namespaces: cells need root");
	else
		doctor_missing(f, "user %u cannot make user namespaces", geteuid());
	if (doctor_number("/proc/sys/kernel/unprivileged_userns_clone") == 0)
		doctor_mend(f,
			    "for cells without root: sysctl -w kernel.unprivileged_userns_clone=1");
	else if (doctor_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") > 0)
		doctor_mend(f, "for cells without root: an AppArmor profile that allows userns, or "
			       "sysctl -w "
			       "kernel.apparmor_restrict_unprivileged_userns=0");
	else
		doctor_mend(f,
			    "for cells without root: look at user.max_user_namespaces and at what "
			    "security module or container is around this process");
}

const struct doctor_check doctor_kernel_checks[] = {
	{"kernel", "version", look_version},
	{"kernel", "clone3 set_tid", look_clone3},
	{"kernel", "openat2", look_openat2},
	{"kernel", "mount calls", look_mounts},
	{"kernel", "close_range", look_close_range},
	{"kernel", "pidfd", look_pidfd},
	{"kernel", "execveat, memfd", look_exec},
	{"kernel", "seccomp", look_seccomp},
	{"kernel", "Landlock", look_landlock},
	{"namespaces", "namespaces", look_namespaces},
	{"namespaces", "unprivileged", look_unprivileged},
	{NULL, NULL, NULL},
};
