#include "judge/verify_host.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "judge/scratch.h"
#include "proto/err.h"
#include "proto/scope.h"

#define GRACE_S 10 /* for sandboxd to end */

static const char prefix[] = "gavel-verify-";

struct host {
	const struct verify_host_options *options;
	struct verify_host shown;
	struct scratch scratch;      /* temporary, root's */
	char dir[PATH_MAX / 2];      /* its path; "" until made */
	char sockets[PATH_MAX - 16]; /* in it, root's */
	char state[PATH_MAX - 16];   /* in it, the user's */
	char program[PATH_MAX];      /* sandboxd */
	char rules[PATH_MAX];
	uid_t uid;
	gid_t gid;
	pid_t sandboxd, worker; /* 0: not running */
	sigset_t signals, before;
};

/* "/usr/local/bin/judge" and "sandboxd" -> "/usr/local/bin/sandboxd" */
static int beside_us(const char *name, char *out, struct err *e)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len < 0)
		return err_sys(e, "/proc/self/exe");
	self[len] = '\0';
	*strrchr(self, '/') = '\0';
	if (snprintf(out, PATH_MAX, "%s/%s", self, name) >= PATH_MAX)
		return err_set(e, "%s: the path is too long", self);
	return 0;
}

/* Never from the working directory: that may be the package, and sandboxd reads rules as root. */
static int find_rules(struct host *h, struct err *e)
{
	static const char *const places[] = {"../../rules", "../share/gavel/rules"};

	if (h->options->rules) {
		snprintf(h->rules, sizeof(h->rules), "%s", h->options->rules);
	} else {
		size_t i = 0;

		do {
			if (beside_us(places[i], h->rules, e) < 0)
				return -1;
		} while (access(h->rules, F_OK) < 0 && ++i < ARRAY_LEN(places));
	}
	h->shown.rules = open(h->rules, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (h->shown.rules < 0)
		return err_sys(e, "rules: %s (say where with --rules)", h->rules);
	return 0;
}

static int find_user(struct host *h, struct err *e)
{
	const char *name = h->options->user;
	const struct passwd *p;

	/* NOLINTBEGIN(concurrency-mt-unsafe): there are no threads in this process */
	p = getpwnam(name ? name : "gavel");
	if (!p && !name)
		p = getpwnam("nobody");
	/* NOLINTEND(concurrency-mt-unsafe) */
	if (!p)
		return err_set(e, "--user: there is no user %s", name ? name : "nobody");
	if (p->pw_uid == 0)
		return err_set(e, "--user: root is what this is to protect");
	h->uid = p->pw_uid;
	h->gid = p->pw_gid;
	return 0;
}

/* For good: the order matters, and the kernel is asked whether it is true. */
static int become_user(const struct host *h, struct err *e)
{
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(h->gid, h->gid, h->gid) < 0 ||
	    setresuid(h->uid, h->uid, h->uid) < 0)
		return err_sys(e, "give up root");
	if (setresuid(0, 0, 0) == 0 || geteuid() != h->uid || getegid() != h->gid)
		return err_set(e, "root could be taken back");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "no_new_privs");
	return 0;
}

static void name_folders(struct host *h, const char *dir)
{
	snprintf(h->dir, sizeof(h->dir), "%s", dir);
	snprintf(h->sockets, sizeof(h->sockets), "%s/run", h->dir);
	snprintf(h->state, sizeof(h->state), "%s/state", h->dir);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	return at->level == 0 ? 0 : remove(path); /* what cannot go is left, and rmdir() says so */
}

/* Empties the user's folder as that user: whatever has been made of it, root follows no name in it. */
static void empty_state(const struct host *h)
{
	pid_t pid = fork();
	struct err e;

	if (pid == 0) {
		if (become_user(h, &e) == 0)
			/* NOLINTNEXTLINE(concurrency-mt-unsafe): no threads here */
			(void)nftw(h->state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
		_exit(0);
	}
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
}

static int remove_folders(const struct host *h)
{
	char path[PATH_MAX];

	empty_state(h);
	snprintf(path, sizeof(path), "%s/program.sock", h->sockets);
	(void)unlink(path);
	snprintf(path, sizeof(path), "%s/jury.sock", h->sockets);
	(void)unlink(path);
	(void)rmdir(h->state);
	(void)rmdir(h->sockets);
	return rmdir(h->dir);
}

/* Of an earlier run that was killed. */
static void remove_left_over(void *arg, const char *path)
{
	const struct host *us = arg;
	struct host left = {.options = us->options, .uid = us->uid, .gid = us->gid};
	struct stat st;

	name_folders(&left, path);
	if (lstat(left.state, &st) == 0) {
		left.uid = st.st_uid; /* it may have been another --user's */
		left.gid = st.st_gid;
	}
	if (geteuid() != 0 || left.uid != 0)
		(void)remove_folders(&left);
}

static int make_folders(struct host *h, struct err *e)
{
	struct verify_host *s = &h->shown;
	const char *from = h->options->socket;
	const char *tmp = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe): no threads yet */

	if (!tmp || !*tmp)
		tmp = "/tmp";
	if (strlen(tmp) > PATH_MAX / 4)
		return err_set(e, "TMPDIR: the path is too long");
	scratch_sweep(tmp, prefix, remove_left_over, h);
	if (scratch_make(tmp, prefix, &h->scratch, e) < 0)
		return -1;
	name_folders(h, h->scratch.path);
	if (chmod(h->dir, 0711) < 0 || mkdir(h->sockets, 0755) < 0 || mkdir(h->state, 0700) < 0)
		return err_sys(e, "%s", h->dir);
	if (geteuid() == 0 && chown(h->state, h->uid, h->gid) < 0)
		return err_sys(e, "%s", h->state);
	snprintf(s->store, sizeof(s->store), "sqlite:%s", h->state);
	if (snprintf(s->program_socket, PATH_MAX, "%s/program.sock", from ? from : h->sockets) >=
		    PATH_MAX ||
	    snprintf(s->jury_socket, PATH_MAX, "%s/jury.sock", from ? from : h->sockets) >=
		    PATH_MAX)
		return err_set(e, "--socket: the path is too long");
	return 0;
}

/* A child goes when its parent does, however that ended. */
static void follow_parent(pid_t parent, int sig)
{
	(void)prctl(PR_SET_PDEATHSIG, sig);
	if (getppid() != parent)
		_exit(127);
}

static int start_sandboxd(struct host *h, struct err *e)
{
	char cells[16], uid[16];
	char *argv[] = {h->program, "--socket",    h->sockets, "--rules",
			h->rules,   "--cells",     cells,      "--jury-cells",
			cells,      "--allow-uid", uid,        "--log-level",
			"error",    NULL,          NULL,       NULL};
	pid_t parent = getpid();

	if (beside_us("sandboxd", h->program, e) < 0)
		return -1;
	if (h->options->pin) {
		argv[ARRAY_LEN(argv) - 3] = "--pin";
		argv[ARRAY_LEN(argv) - 2] = (char *)h->options->pin;
	}
	snprintf(cells, sizeof(cells), "%u", h->options->cells);
	snprintf(uid, sizeof(uid), "%u", (unsigned)h->uid);
	h->sandboxd = fork();
	if (h->sandboxd < 0) {
		h->sandboxd = 0;
		return err_sys(e, "fork");
	}
	if (h->sandboxd > 0)
		return 0;
	(void)pthread_sigmask(SIG_SETMASK, &h->before, NULL);
	(void)setpgid(0, 0); /* Ctrl-C is for us: we end it when the worker is gone */
	follow_parent(parent, SIGTERM);
	(void)dup2(2, 1);
	execv(h->program, argv);
	fprintf(stderr, "judge verify: %s: %s\n", h->program, strerrordesc_np(errno));
	_exit(127);
}

static int start_worker(struct host *h, verify_work *work, void *arg, struct err *e)
{
	pid_t parent = getpid();
	struct err why;

	(void)fflush(NULL);
	h->worker = fork();
	if (h->worker < 0) {
		h->worker = 0;
		return err_sys(e, "fork");
	}
	if (h->worker > 0)
		return 0;
	(void)pthread_sigmask(SIG_SETMASK, &h->before, NULL);
	if (become_user(h, &why) < 0) {
		fprintf(stderr, "judge verify: %s\n", why.msg);
		_exit(127);
	}
	follow_parent(parent, SIGKILL);
	(void)umask(077);
	exit(work(arg, &h->shown)); /* NOLINT(concurrency-mt-unsafe): its threads have ended */
}

/* Waits for one child until the time is over, then kills it. */
static void end_child(pid_t *pid, int sig)
{
	const struct timespec tick = {0, 20000000};

	if (*pid == 0)
		return;
	(void)kill(*pid, sig);
	for (int i = 0; i < GRACE_S * 50; i++) {
		if (waitpid(*pid, NULL, WNOHANG) != 0) {
			*pid = 0;
			return;
		}
		(void)nanosleep(&tick, NULL);
	}
	(void)kill(*pid, SIGKILL);
	(void)waitpid(*pid, NULL, 0);
	*pid = 0;
}

static void clean_up(struct host *h)
{
	end_child(&h->worker, SIGKILL);
	end_child(&h->sandboxd, SIGTERM);
	if (h->dir[0]) {
		if (remove_folders(h) < 0)
			fprintf(stderr, "judge verify: %s could not be removed: %s\n", h->dir,
				strerrordesc_np(errno));
		scratch_forget(&h->scratch);
	}
	if (h->shown.rules >= 0)
		(void)close(h->shown.rules);
	(void)pthread_sigmask(SIG_SETMASK, &h->before, NULL);
}

/* One child has ended: 1 if that was the worker and *status is its exit status, 0 to go on waiting. */
static int take_child(struct host *h, int *status, struct err *e)
{
	int how;
	pid_t pid = waitpid(-1, &how, WNOHANG);

	if (pid <= 0)
		return 0;
	if (pid == h->sandboxd) {
		h->sandboxd = 0;
		return err_set(e, "sandboxd ended before the work was done%s",
			       geteuid() == 0 ? "" : ": run this as root, or mend what it says");
	}
	if (pid != h->worker)
		return 0;
	h->worker = 0;
	if (!WIFEXITED(how))
		return err_set(e, "the worker was ended by signal %d", WTERMSIG(how));
	*status = WEXITSTATUS(how);
	return 1;
}

static int await_worker(struct host *h, struct err *e)
{
	int status = 0;

	for (;;) {
		int rc = take_child(h, &status, e);
		int sig;

		if (rc != 0)
			return rc < 0 ? -1 : status;
		sig = sigwaitinfo(&h->signals, NULL);
		if (sig > 0 && sig != SIGCHLD)
			return err_set(e, "interrupted");
	}
}

static int run(struct host *h, verify_work *work, void *arg, struct err *e)
{
	h->uid = geteuid(); /* a plain user's sandboxd serves that user */
	if (h->uid == 0 && find_user(h, e) < 0)
		return -1;
	if (find_rules(h, e) < 0 || make_folders(h, e) < 0)
		return -1;
	if (!h->options->socket && start_sandboxd(h, e) < 0)
		return -1;
	return start_worker(h, work, arg, e) < 0 ? -1 : await_worker(h, e);
}

int verify_host_run(const struct verify_host_options *o, verify_work *work, void *arg,
		    struct err *e)
{
	struct host h = {.options = o, .shown = {.rules = -1}};
	int rc;

	sigemptyset(&h.signals);
	sigaddset(&h.signals, SIGCHLD);
	sigaddset(&h.signals, SIGINT);
	sigaddset(&h.signals, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &h.signals, &h.before);
	rc = run(&h, work, arg, e);
	clean_up(&h);
	return rc;
}
