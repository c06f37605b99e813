#include "sandbox/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <locale.h>
#include <seccomp.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/digest.h"
#include "sandbox/mounts.h"

#define CPU_SECONDS 3600
#define MEMORY      (1ULL << 30)
#define OPEN_FILES  256

/* Address space is what AddressSanitizer has too much of. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

/* What the child says before it ends. */
struct words {
	int done;
	struct unpack_result result;
	struct err why;
};

struct child {
	struct unpack job; /* with the numbers that its descriptors have in the child */
	int pipe;
	pid_t parent;
};

static const int allowed_calls[] = {
	SCMP_SYS(read),         SCMP_SYS(pread64),
	SCMP_SYS(write),        SCMP_SYS(pwrite64),
	SCMP_SYS(lseek),        SCMP_SYS(close),
	SCMP_SYS(openat),       SCMP_SYS(openat2),
	SCMP_SYS(fstat),        SCMP_SYS(newfstatat),
	SCMP_SYS(statx),        SCMP_SYS(fcntl),
	SCMP_SYS(getdents64),   SCMP_SYS(readlinkat),
	SCMP_SYS(mkdirat),      SCMP_SYS(unlinkat),
	SCMP_SYS(symlinkat),    SCMP_SYS(linkat),
	SCMP_SYS(fchmod),       SCMP_SYS(ftruncate),
	SCMP_SYS(utimensat),    SCMP_SYS(brk),
	SCMP_SYS(mmap),         SCMP_SYS(munmap),
	SCMP_SYS(mremap),       SCMP_SYS(mprotect),
	SCMP_SYS(madvise),      SCMP_SYS(futex),
	SCMP_SYS(getrandom),    SCMP_SYS(clock_gettime),
	SCMP_SYS(getpid),       SCMP_SYS(gettid),
	SCMP_SYS(tgkill),       SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(exit),         SCMP_SYS(exit_group),
	SCMP_SYS(umask),        SCMP_SYS(restart_syscall),
};

/* The rest fails with EPERM: nothing here has a reason to call it, and libraries that probe live on. */
static int filter_calls(struct err *e)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int result = filter ? 0 : -ENOMEM;

	for (size_t i = 0; result == 0 && i < ARRAY_LEN(allowed_calls); i++)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed_calls[i], 0);
	if (result == 0)
		result = seccomp_load(filter);
	seccomp_release(filter);
	errno = -result;
	return result < 0 ? err_sys(e, "seccomp") : 0;
}

static int set_limits(const struct unpack *job, struct err *e)
{
	const struct {
		int resource;
		rlim_t value;
	} limits[] = {
		{RLIMIT_CORE, 0},
		{RLIMIT_CPU, CPU_SECONDS},
		{RLIMIT_NOFILE, OPEN_FILES},
		{RLIMIT_FSIZE, job->tree < 0 ? 0 : job->budget.bytes},
#ifndef SANITIZED
		{RLIMIT_AS, MEMORY},
#endif
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct rlimit now;

		if (getrlimit((__rlimit_resource_t)limits[i].resource, &now) < 0)
			return err_sys(e, "getrlimit");
		if (limits[i].value < now.rlim_max)
			now.rlim_max = limits[i].value;
		now.rlim_cur = now.rlim_max;
		if (setrlimit((__rlimit_resource_t)limits[i].resource, &now) < 0)
			return err_sys(e, "setrlimit");
	}
	return 0;
}

/*
 * A folder as a mount of its own that is attached nowhere: ".." ends at its top, so that not even a child that was taken over finds
 * its way from there to the host's files.  All numbers are above those that descriptors are to have, or one would close another.
 */
static int detach(int fd, enum mounts_kind kind, struct err *e)
{
	char path[32];
	AUTO_CLOSE int tree = -1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	tree = mounts_clone(path, kind, e);
	if (tree < 0)
		return -1;
	int high = fcntl(tree, F_DUPFD_CLOEXEC, 10);

	return high < 0 ? err_sys(e, "dup") : high;
}

/* 0, 1, 2 lead nowhere; 3, 4, 5 are the layout, the pipe and the tree; there is nothing else. */
static int keep_descriptors(struct child *c, struct err *e)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int layout = detach(c->job.layout, MOUNTS_RO, e);
	int tree = c->job.tree < 0 ? -1 : detach(c->job.tree, MOUNTS_RW, e);
	int words = fcntl(c->pipe, F_DUPFD_CLOEXEC, 10);

	if (layout < 0 || (c->job.tree >= 0 && tree < 0))
		return -1;
	if (null < 0 || words < 0)
		return err_sys(e, "descriptors");
	for (int fd = 0; fd < 3; fd++)
		if (dup2(null, fd) < 0)
			return err_sys(e, "dup2");
	if (dup2(layout, 3) < 0 || dup2(words, 4) < 0 || (tree >= 0 && dup2(tree, 5) < 0))
		return err_sys(e, "dup2");
	(void)close_range(tree >= 0 ? 6 : 5, ~0U, 0);
	c->job.layout = 3;
	c->pipe = 4;
	c->job.tree = tree >= 0 ? 5 : -1;
	return 0;
}

static void own_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
	(void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	(void)sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int drop_rights(const struct unpack *job, struct err *e)
{
	cap_t none;
	int status;

	if (setgroups(0, NULL) < 0 || setresgid(job->uid, job->uid, job->uid) < 0 ||
	    setresuid(job->uid, job->uid, job->uid) < 0)
		return err_sys(e, "become user %u", job->uid);
	if (setuid(0) == 0 || seteuid(0) == 0)
		return err_set(e, "could become root again");
	none = cap_init();
	status = none ? cap_set_proc(none) : -1;
	(void)cap_free(none);
	return status < 0 ? err_sys(e, "drop capabilities") : 0;
}

static int confine(struct child *c, struct err *e)
{
	own_signals();
	if (keep_descriptors(c, e) < 0)
		return -1;
	if (fchdir(c->job.tree >= 0 ? c->job.tree : c->job.layout) < 0 || chroot(".") < 0)
		return err_sys(e, "chroot");
	if (drop_rights(&c->job, e) < 0)
		return -1;
	/* Cleared by the change of user, so after it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "prctl");
	if (getppid() != c->parent)
		return err_set(e, "the parent died");
	if (set_limits(&c->job, e) < 0)
		return -1;
	return filter_calls(e);
}

static int work(struct child *c, struct unpack_result *r, struct err *e)
{
	struct oci_budget budget = c->job.budget;

	/* Names are UTF-8; libarchive would take them for ASCII.  This locale needs no file. */
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return err_set(e, "setlocale C.UTF-8 failed");
	if (digest_load(e) < 0 || (c->job.tree >= 0 && oci_layer_load(e) < 0))
		return -1;
	if (confine(c, e) < 0)
		return err_wrap(e, "confine the unpacking");
	(void)umask(0);
	if (oci_find(c->job.layout, &r->image, e) < 0)
		return -1;
	if (c->job.tree < 0)
		return 0;
	return oci_unpack(c->job.layout, &r->image, c->job.tree, &budget, &r->env, e);
}

_Noreturn static void be_child(struct child *c)
{
	static struct words w;
	struct err ignored;

	w.done = work(c, &w.result, &w.why) == 0;
	(void)io_write_all(c->pipe, &w, sizeof(w), &ignored);
	_exit(0);
}

/* Texts of the child end up on terminals. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static int check_result(struct unpack_result *r, struct err *e)
{
	const struct oci_env *env = &r->env;
	size_t variables = 0;

	r->image.digest[DIGEST_HEX - 1] = '\0';
	if (strlen(r->image.digest) != DIGEST_HEX - 1 ||
	    strspn(r->image.digest, "0123456789abcdef") != DIGEST_HEX - 1)
		return err_set(e, "the unpacking said no digest");
	if (env->len > sizeof(env->text) || (env->len > 0 && env->text[env->len - 1] != '\0'))
		return err_set(e, "the unpacking said a broken environment");
	for (size_t at = 0; at < env->len; at += strlen(env->text + at) + 1)
		if (++variables > OCI_ENV_MAX || !strchr(env->text + at, '='))
			return err_set(e, "the unpacking said a broken environment");
	return 0;
}

static int read_words(int fd, struct words *w, struct err *e)
{
	size_t got = 0;

	while (got < sizeof(*w)) {
		ssize_t n = read(fd, (char *)w + got, sizeof(*w) - got);

		if (n < 0)
			return errno == EINTR ? err_set(e, "interrupted") : err_sys(e, "read");
		if (n == 0)
			return 0;
		got += (size_t)n;
	}
	return 1;
}

static int hear(int fd, pid_t pid, struct words *w, struct err *e)
{
	int said = read_words(fd, w, e);
	int status = 0;

	if (said <= 0)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (said < 0)
		return -1;
	if (said == 0)
		return err_set(e, "the unpacking died (wait status 0x%x)", status);
	return 0;
}

int unpack_run(const struct unpack *u, struct unpack_result *r, struct err *e)
{
	struct child c = {.job = *u, .parent = getpid()};
	AUTO_FREE struct words *w = calloc(1, sizeof(*w));
	int ends[2];
	pid_t pid;

	if (!w)
		return err_set(e, "out of memory");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	AUTO_CLOSE int reading = ends[0];

	c.pipe = ends[1];
	pid = fork();
	if (pid == 0)
		be_child(&c);
	(void)close(ends[1]);
	if (pid < 0)
		return err_sys(e, "fork");
	if (hear(reading, pid, w, e) < 0)
		return -1;
	w->why.msg[sizeof(w->why.msg) - 1] = '\0';
	make_printable(w->why.msg);
	if (!w->done)
		return err_set(e, "%s", w->why.msg);
	*r = w->result;
	return check_result(r, e);
}
