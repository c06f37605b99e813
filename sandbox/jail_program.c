#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/cgroup.h"
#include "sandbox/ids.h"
#include "sandbox/jail.h"
#include "sandbox/jail_landlock.h"
#include "sandbox/policy.h"

static jail_program_fn step_attach, step_fresh, step_hostname, step_session, step_signals, step_ids,
	step_park, step_landlock, step_close, step_limits, step_verify, step_seccomp, step_request,
	step_sizes, step_cwd, step_check, step_exec;

/* clang-format off */
const struct jail_program_step jail_program_steps[] = {
	/* step         action           why it stands here */
	{ "attach",     step_attach   }, /* first: from here all is charged and limited; usage until exec is subtracted */
	{ "fresh",      step_fresh    }, /* after attach, so that the cgroup namespace begins at the run's cgroup */
	{ "hostname",   step_hostname }, /* in the new uts namespace */
	{ "session",    step_session  }, /* no terminal, no group, no keyring shared with init */
	{ "signals",    step_signals  }, /* as a program expects to find them */
	{ "ids",        step_ids      }, /* gives up the cell's root, and every capability with it */
	{ "park",       step_park     }, /* what follows depends on the policy and on the box being in its place */
	{ "landlock",   step_landlock }, /* after all that opens paths; it covers mounts and ids with rules of their own */
	{ "close",      step_close    }, /* nothing but the line to the keeper is left */
	{ "limits",     step_limits   }, /* after landlock, which needs a few descriptors; lowering is always allowed */
	{ "verify",     step_verify   }, /* ask the kernel whether all that is true */
	{ "seccomp",    step_seccomp  }, /* every policy allows the calls of the rows below; hands over the listener */
	{ "request",    step_request  }, /* all above is done before anybody waits for it; 0, 1, 2 and the files come here */
	{ "sizes",      step_sizes    }, /* after request, which needs descriptors */
	{ "cwd",        step_cwd      }, /* as the program's user, so that permissions count */
	{ "check",      step_check    }, /* ask again about what came with the request */
	{ "exec",       step_exec     }, /* the clock starts here */
};
/* clang-format on */
const size_t jail_program_nsteps = ARRAY_LEN(jail_program_steps);

#define HOSTNAME "gavel"

/* The line to the keeper, above every number that the program's own descriptors get. */
#define SYNC_FD_MIN 512

/* CPU time of this process; the kernel settles its account when it is asked: clock_gettime(2). */
static int64_t cpu_time_us(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int step_attach(struct jail_program *p, struct err *e)
{
	p->joined_us = cpu_time_us();
	errno = cgroup_attach_self(p->procs_fds, p->nprocs_fds);
	return errno ? err_sys(e, "join the run's cgroup") : 0;
}

static int step_fresh(struct jail_program *p, struct err *e)
{
	(void)p;
	if (unshare(CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) < 0)
		return err_sys(e, "unshare ipc, uts, cgroup");
	return 0;
}

static int step_hostname(struct jail_program *p, struct err *e)
{
	(void)p;
	if (sethostname(HOSTNAME, strlen(HOSTNAME)) < 0 || setdomainname("", 0) < 0)
		return err_sys(e, "sethostname");
	return 0;
}

/* A kernel without keyrings, or a judge that may not use them: then neither may a program. */
static int no_keyrings(void)
{
	return errno == ENOSYS || errno == EPERM;
}

static int step_session(struct jail_program *p, struct err *e)
{
	(void)p;
	if (setsid() < 0)
		return err_sys(e, "setsid");
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && !no_keyrings())
		return err_sys(e, "new session keyring");
	return 0;
}

static int step_park(struct jail_program *p, struct err *e)
{
	return p->await_policy(p, e);
}

static int step_close(struct jail_program *p, struct err *e)
{
	int up = fcntl(p->sync_fd, F_DUPFD_CLOEXEC, SYNC_FD_MIN);

	if (up < 0)
		return err_sys(e, "move descriptor %d", p->sync_fd);
	p->sync_fd = up;
	if (close_range(3, (unsigned)up - 1, 0) < 0 || close_range((unsigned)up + 1, ~0U, 0) < 0)
		return err_sys(e, "close_range");
	return 0;
}

/* What came stands at 3, 4, ... in order, so moving all of it down never covers what is still to be moved. */
static int step_request(struct jail_program *p, struct err *e)
{
	if (p->await_request(p, e) < 0)
		return -1;
	for (size_t i = 0; i < p->nfds; i++)
		if (p->fds[i] != 3 + (int)i)
			return err_set(e, "descriptor %zu came as %d", i, p->fds[i]);
	for (size_t i = 0; i < p->nfds; i++)
		if (dup2(p->fds[i], (int)i) < 0)
			return err_sys(e, "dup2 %zu", i);
	/* The last three were not covered by any; all others are the program's now. */
	return close_range((unsigned)p->nfds, (unsigned)p->nfds + 2, 0) < 0
		       ? err_sys(e, "close_range")
		       : 0;
}

/* clang-format off */
static const struct { __rlimit_resource_t what; rlim_t max; } fixed_limits[] = {
	{ RLIMIT_CORE,       1 }, /* core(5): 0 would not keep a core from a program that core_pattern names, 1 does */
	{ RLIMIT_MEMLOCK,    0 },
	{ RLIMIT_MSGQUEUE,   0 }, /* POSIX queues would outlive the run's processes */
	{ RLIMIT_NICE,       0 },
	{ RLIMIT_RTPRIO,     0 },
	{ RLIMIT_SIGPENDING, 1024 },
};
/* clang-format on */

static int lower(__rlimit_resource_t what, rlim_t max, struct err *e)
{
	struct rlimit now;
	struct rlimit want = {max, max};

	if (getrlimit(what, &now) < 0)
		return err_sys(e, "getrlimit %d", (int)what);
	/* Raising a hard limit needs a right over the host; a lower one already serves. */
	if (now.rlim_max != RLIM_INFINITY && (max == RLIM_INFINITY || now.rlim_max < max))
		want.rlim_cur = want.rlim_max = now.rlim_max;
	return setrlimit(what, &want) < 0 ? err_sys(e, "setrlimit %d", (int)what) : 0;
}

static int step_limits(struct jail_program *p, struct err *e)
{
	(void)p;
	for (size_t i = 0; i < ARRAY_LEN(fixed_limits); i++)
		if (lower(fixed_limits[i].what, fixed_limits[i].max, e) < 0)
			return -1;
	return 0;
}

static int step_sizes(struct jail_program *p, struct err *e)
{
	if (!p->argv)
		return err_set(e, "no request has come");
	if (lower(RLIMIT_NOFILE, p->open_files, e) < 0)
		return -1;
	return lower(RLIMIT_STACK, p->stack_bytes ? p->stack_bytes : RLIM_INFINITY, e);
}

static int step_signals(struct jail_program *p, struct err *e)
{
	sigset_t none;

	(void)p;
	sigemptyset(&none);
	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction normal = {.sa_handler = SIG_DFL};

		(void)sigaction(sig, &normal, NULL); /* EINVAL for KILL, STOP and libc's own two */
	}
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return err_sys(e, "sigprocmask");
	umask(022);
	return 0;
}

static int drop_capabilities(struct err *e)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_sys(e, "clear ambient capabilities");
	if (syscall(SYS_capset, &header, none) < 0)
		return err_sys(e, "capset");
	return 0;
}

static int step_ids(struct jail_program *p, struct err *e)
{
	(void)p;
	if (setresgid(IDS_PROGRAM, IDS_PROGRAM, IDS_PROGRAM) < 0)
		return err_sys(e, "setresgid");
	if (setresuid(IDS_PROGRAM, IDS_PROGRAM, IDS_PROGRAM) < 0)
		return err_sys(e, "setresuid");
	return drop_capabilities(e);
}

static int step_cwd(struct jail_program *p, struct err *e)
{
	if (!p->cwd)
		return err_set(e, "no request has come");
	return chdir(p->cwd) < 0 ? err_sys(e, "chdir %s", p->cwd) : 0;
}

static int step_landlock(struct jail_program *p, struct err *e)
{
	return jail_landlock_enter(p->root, e);
}

static int verify_ids(struct err *e)
{
	uid_t u[3];
	gid_t g[3];

	if (getresuid(&u[0], &u[1], &u[2]) < 0 || getresgid(&g[0], &g[1], &g[2]) < 0)
		return err_sys(e, "getresuid");
	for (size_t i = 0; i < 3; i++)
		if (u[i] != IDS_PROGRAM || g[i] != IDS_PROGRAM)
			return err_set(e, "runs as %d:%d", (int)u[i], (int)g[i]);
	if (getgroups(0, NULL) != 0)
		return err_set(e, "has supplementary groups");
	if (setresuid(0, 0, 0) == 0 || setresgid(0, 0, 0) == 0)
		return err_set(e, "the cell's root could be taken back");
	return 0;
}

static int verify_caps(struct err *e)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, caps) < 0)
		return err_sys(e, "capget");
	for (size_t i = 0; i < ARRAY_LEN(caps); i++)
		if (caps[i].effective | caps[i].permitted | caps[i].inheritable)
			return err_set(e, "has capabilities");
	/* Nor ambient ones, then: capabilities(7), they are permitted and inheritable too. */
	for (int cap = 0, bounding = 0; bounding >= 0; cap++) {
		bounding = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		if (bounding > 0)
			return err_set(e, "capability %d is bounding", cap);
	}
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return err_set(e, "no_new_privs is off");
	return 0;
}

/* Those that the fresh row makes; the others are init's, which has looked at them itself. */
static int verify_namespaces(const struct jail_namespaces *cell, struct err *e)
{
	static const enum jail_namespace fresh[] = {JAIL_IPC, JAIL_UTS, JAIL_CGROUP};
	char host[sizeof(HOSTNAME) + 1];
	ino_t own;

	for (size_t i = 0; i < ARRAY_LEN(fresh); i++) {
		if (jail_namespace_read(fresh[i], &own, e) < 0)
			return -1;
		if (own == cell->inode[fresh[i]])
			return err_set(e, "the %s namespace is the cell's, not the run's",
				       jail_namespace_names[fresh[i]]);
	}
	if (gethostname(host, sizeof(host)) < 0 || strcmp(host, HOSTNAME) != 0)
		return err_set(e, "the host name is not " HOSTNAME);
	if (unshare(CLONE_NEWUSER) == 0)
		return err_set(e, "a user namespace could be made");
	return 0;
}

static int verify_limits(struct err *e)
{
	struct rlimit now;

	for (size_t i = 0; i < ARRAY_LEN(fixed_limits); i++)
		if (getrlimit(fixed_limits[i].what, &now) < 0 ||
		    now.rlim_max > fixed_limits[i].max || now.rlim_cur > fixed_limits[i].max)
			return err_set(e, "resource limit %d is not lowered",
				       (int)fixed_limits[i].what);
	return 0;
}

long jail_session_keyring(void)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
}

static int verify_surroundings(const struct jail_program *p, struct err *e)
{
	if (getsid(0) != getpid())
		return err_set(e, "does not lead its session");
	if (jail_session_keyring() == p->session_keyring && p->session_keyring >= 0)
		return err_set(e, "has the session keyring of init");
	if (p->sync_fd < SYNC_FD_MIN || fcntl(p->sync_fd, F_GETFD) != FD_CLOEXEC)
		return err_set(e, "a descriptor of the judge would stay open");
	if (fcntl(3, F_GETFD) >= 0)
		return err_set(e, "descriptor 3 is open");
	return 0;
}

static int verify_signals(struct err *e)
{
	struct sigaction action;
	sigset_t blocked;

	if (sigprocmask(SIG_SETMASK, NULL, &blocked) < 0 || !sigisemptyset(&blocked))
		return err_set(e, "signals are blocked");
	for (int sig = 1; sig < SIGRTMIN; sig++)
		if (sigaction(sig, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
			return err_set(e, "signal %d is not handled by default", sig);
	return 0;
}

static int step_verify(struct jail_program *p, struct err *e)
{
	if (verify_ids(e) < 0 || verify_caps(e) < 0 || verify_namespaces(&p->cell, e) < 0 ||
	    verify_limits(e) < 0 || verify_signals(e) < 0 || jail_landlock_verify(p->root, e) < 0)
		return -1;
	return verify_surroundings(p, e);
}

static int step_check(struct jail_program *p, struct err *e)
{
	struct rlimit files;
	char cwd[4096];

	if (!getcwd(cwd, sizeof(cwd)) || !p->cwd || strcmp(cwd, p->cwd) != 0)
		return err_set(e, "the working directory is not %s", p->cwd ? p->cwd : "set");
	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_max > p->open_files)
		return err_set(e, "the limit of open files is not lowered");
	for (int fd = 0; fd < (int)p->nfds; fd++)
		if (fcntl(fd, F_GETFD) != 0)
			return err_set(e, "descriptor %d is not open for the program", fd);
	if (fcntl((int)p->nfds, F_GETFD) >= 0)
		return err_set(e, "descriptor %zu is open", p->nfds);
	return 0;
}

/* One message on the sync socket, with a descriptor beside it unless that is -1.  Only calls that each policy allows. */
static int say(int sync_fd, const struct jail_message *m, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {(void *)m, sizeof(*m)};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (fd >= 0) {
		h.msg_control = control.bytes;
		h.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	return sendmsg(sync_fd, &h, MSG_NOSIGNAL) == (ssize_t)sizeof(*m) ? 0 : -1;
}

static int step_seccomp(struct jail_program *p, struct err *e)
{
	struct jail_message ready = {.word = JAIL_READY};
	int listener = -1;

	if (policy_install(p->policy, &listener, e) < 0)
		return -1;
	if (say(p->sync_fd, &ready, listener) < 0)
		return err_sys(e, "hand over the listener");
	(void)close(listener);
	return 0;
}

/* Tries argv[0] in each folder of the program's own PATH, as a shell would. */
static void exec_by_path(const struct jail_program *p)
{
	const char *path = "/usr/bin:/bin";
	char file[4096];
	int denied = 0;

	for (char *const *v = p->envp; *v; v++)
		if (strncmp(*v, "PATH=", 5) == 0)
			path = *v + 5;
	while (*path) {
		size_t len = strcspn(path, ":");

		snprintf(file, sizeof(file), "%.*s/%s", (int)len, path, p->argv[0]);
		execve(file, p->argv, p->envp);
		denied |= errno == EACCES;
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			return;
		path += len + (path[len] == ':');
	}
	errno = denied ? EACCES : ENOENT;
}

static int step_exec(struct jail_program *p, struct err *e)
{
	struct jail_message starts = {.word = JAIL_STARTS, .started_us = io_monotonic_us()};

	if (!p->argv)
		return err_set(e, "no request has come");
	starts.set_up_us = cpu_time_us() - p->joined_us;
	if (say(p->sync_fd, &starts, -1) < 0)
		return err_set(e, "the keeper went away");
	if (strchr(p->argv[0], '/'))
		execve(p->argv[0], p->argv, p->envp);
	else
		exec_by_path(p);
	return err_sys(e, "%s", p->argv[0]);
}

_Noreturn void jail_become_program(const struct jail_tables *t, struct jail_program *p)
{
	struct jail_message failed = {.word = JAIL_FAILED};
	size_t i = 0;

	while (i < t->nprogram && t->program[i].run(p, &failed.err) == 0)
		i++;
	if (i == t->nprogram)
		err_set(&failed.err, "jail: no step became the program");
	else if (t->program[i].run == step_exec && failed.err.num != 0)
		failed.exec = 1;
	else
		err_wrap(&failed.err, "jail: %s", t->program[i].name);
	(void)say(p->sync_fd, &failed, -1);
	_exit(127);
}
