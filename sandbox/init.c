#include "sandbox/init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/channel.h"
#include "proto/io.h"
#include "proto/sandbox.pb-c.h"
#include "proto/scope.h"
#include "proto/wire.h"
#include "sandbox/box.h"
#include "sandbox/cgroup.h"
#include "sandbox/network.h"
#include "sandbox/rules.h"
#include "sandbox/spec.h"

#define PROGRAM_PID 2 /* the same in every run: a program must not learn how many were before it */

struct pid1 {
	const struct init *in;
	struct box box;
	struct jail_namespaces own;
	struct network network;
	int network_used;            /* by a run, and not looked at since */
	pid_t child;                 /* of the run that is, or the next; 0: none */
	volatile int *asked;         /* shared with the child: it was given a request */
	int children;                /* signalfd(2): some process ended */
	const struct policy *policy; /* of a child about to be made, whose box is in its place */
};

typedef int handler(struct pid1 *p, const Sandbox__Request *rq, struct channel_frame *f,
		    struct err *e);

static int reply(const struct pid1 *p, const Sandbox__Reply *r, const int *fds, size_t n,
		 struct err *e)
{
	return channel_send(p->in->sock, &r->base, fds, n, e);
}

static int reply_done(const struct pid1 *p, struct err *e)
{
	Sandbox__Reply r = SANDBOX__REPLY__INIT;

	r.last = 1;
	return reply(p, &r, NULL, 0, e);
}

/* Leaves a network namespace in which the last run has left something for a new one: 1 if it has, 0 if there was no need. */
static int renew_network(struct pid1 *p, struct err *e)
{
	int renewed = p->network_used ? network_renew(&p->network, e) : 0;

	p->network_used = 0;
	if (renewed > 0 && jail_namespaces_read(&p->own, e) < 0)
		return -1;
	return renewed;
}

/*
 * Init cannot be looked into from outside, so it hands its network namespace to the keeper, which plugs it in.  It must be the one of
 * the next run: if no child could be made for that yet, nobody has looked at what the last one left.
 */
static int reply_namespace(struct pid1 *p, struct err *e)
{
	Sandbox__Reply r = SANDBOX__REPLY__INIT;
	int renewed = renew_network(p, e);
	AUTO_CLOSE int ns = renewed < 0 ? -1 : open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (renewed < 0)
		return -1;
	if (ns < 0)
		return err_sys(e, "/proc/self/ns/net");
	r.last = 1;
	return reply(p, &r, &ns, 1, e);
}

static int handle_put(struct pid1 *p, const Sandbox__Request *rq, struct channel_frame *f,
		      struct err *e)
{
	size_t fd = 0;

	if (rq->n_names == 0)
		return reply_namespace(p, e);
	if (box_prepare(&p->box, rq->same_box, rq->box_bytes, rq->box_inodes, e) < 0)
		return -1;
	for (size_t i = 0; i < rq->n_names; i++) {
		int is_folder = rq->names[i][strlen(rq->names[i]) - 1] == '/';

		if (box_put(&p->box, rq->names[i], rq->modes[i], is_folder ? -1 : f->fds[fd++], e) <
		    0) {
			p->box.used = 1; /* nothing may run beside half of its files */
			return -1;
		}
	}
	return reply_done(p, e);
}

/* Replies to a FETCH are filled up to what one frame can hold. */
struct fetch {
	const struct pid1 *pid1;
	Sandbox__Reply reply;
	char *names[FETCH_FILES_PER_FRAME];
	uint32_t modes[FETCH_FILES_PER_FRAME];
	int fds[FETCH_FILES_PER_FRAME];
};

static int fetch_flush(struct fetch *f, int last, struct err *e)
{
	int status;

	f->reply.names = f->names;
	f->reply.modes = f->modes;
	f->reply.n_modes = f->reply.n_names;
	f->reply.last = last;
	status = reply(f->pid1, &f->reply, f->fds, f->reply.n_names, e);
	for (size_t i = 0; i < f->reply.n_names; i++) {
		free(f->names[i]);
		(void)close(f->fds[i]);
	}
	f->reply.n_names = 0;
	return status;
}

static int copy_to_memfd(int from, uint64_t len, struct err *e)
{
	char chunk[65536];
	AUTO_CLOSE int fd = io_memfd(e);

	/* Reads no more than was allowed, whatever the file does now. */
	while (fd >= 0 && len > 0) {
		size_t want = len < sizeof(chunk) ? (size_t)len : sizeof(chunk);
		ssize_t n = io_read_full(from, chunk, want, e);

		if (n < 0 || io_write_all(fd, chunk, (size_t)n, e) < 0)
			return -1;
		if (n == 0)
			break;
		len -= (uint64_t)n;
	}
	if (fd < 0 || io_memfd_seal(fd, e) < 0)
		return -1;
	return fd_steal(&fd);
}

static int fetch_file(void *arg, const char *name, const void *stat_of_file, int fd, struct err *e)
{
	struct fetch *f = arg;
	const struct stat *st = stat_of_file;
	size_t i = f->reply.n_names;
	int copy;

	if (wire_utf8_prefix((const uint8_t *)name, strlen(name)) != strlen(name))
		return err_set(e, "a file name in the box is not UTF-8");
	copy = copy_to_memfd(fd, (uint64_t)st->st_size, e);
	if (copy < 0)
		return err_wrap(e, "%s", name);
	f->names[i] = strdup(name);
	f->modes[i] = st->st_mode & S_IXUSR ? 0555 : 0444;
	f->fds[i] = copy;
	f->reply.n_names++;
	if (!f->names[i])
		return err_set(e, "out of memory");
	return f->reply.n_names == FETCH_FILES_PER_FRAME ? fetch_flush(f, 0, e) : 0;
}

static int handle_fetch(struct pid1 *p, const Sandbox__Request *rq, struct channel_frame *frame,
			struct err *e)
{
	struct fetch f = {.pid1 = p, .reply = SANDBOX__REPLY__INIT};
	int status = box_take(&p->box, rq->paths, rq->n_paths, rq->fetch_bytes, fetch_file, &f, e);

	(void)frame;
	if (status == 0)
		return fetch_flush(&f, 1, e);
	for (size_t i = 0; i < f.reply.n_names; i++) {
		free(f.names[i]);
		(void)close(f.fds[i]);
	}
	return -1;
}

static int handle_keep(struct pid1 *p, const Sandbox__Request *rq, struct channel_frame *f,
		       struct err *e)
{
	(void)f;
	if (box_keep(&p->box, rq->paths, rq->n_paths, e) < 0)
		return -1;
	return reply_done(p, e);
}

/* clone(2) with the pid that every run has; the child does not come back. */
static pid_t start_program(const struct pid1 *p, struct jail_program *program, int *pidfd)
{
	pid_t tid = PROGRAM_PID;
	int fd = -1;
	struct clone_args args = {
		.flags = CLONE_PIDFD,
		.pidfd = (uintptr_t)&fd,
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&tid,
		.set_tid_size = 1,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		jail_become_program(p->in->tables, program);
	*pidfd = fd;
	return (pid_t)pid;
}

/*
 * Ends every process of the cell.  kill(-1) holds the kernel's task list while it walks it and a fork that has a signal
 * pending fails, so no process slips through by forking: one pass is enough.
 */
static int kill_all(struct err *e)
{
	/* Who has no children is alone: every process of the namespace descends from init.  kill(-1) looks at all of the machine's. */
	if (waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD)
		return 0;
	if (kill(-1, SIGKILL) < 0 && errno != ESRCH)
		return err_sys(e, "kill");
	for (;;) {
		if (waitpid(-1, NULL, __WALL) >= 0 || errno == EINTR)
			continue;
		return errno == ECHILD ? 0 : err_sys(e, "wait");
	}
}

static int reset_pids(const struct pid1 *p, struct err *e)
{
	if (pwrite(p->in->last_pid_fd, "2\n", 2, 0) != 2)
		return err_sys(e, "ns_last_pid");
	return 0;
}

/* A NULL-terminated copy of a repeated field; the strings are borrowed. */
static char **vector(char *const *items, size_t n)
{
	char **v = calloc(n + 1, sizeof(*v));

	if (v && n > 0)
		memcpy(v, items, n * sizeof(*v));
	return v;
}

/* In the child: what the keeper has to say next.  What this allocates goes with the child's memory, at exec. */
static const Sandbox__Request *await_order(const struct jail_program *program,
					   struct channel_frame *f, struct err *e)
{
	int n = channel_receive(program->sync_fd, -1, f, e);

	if (n == 0)
		err_set(e, "the keeper went away");
	return n <= 0 ? NULL
		      : (const Sandbox__Request *)channel_unpack(f, &sandbox__request__descriptor,
								 e);
}

/* The park row. */
static int await_policy(struct jail_program *program, struct err *e)
{
	static struct channel_frame f;
	const struct pid1 *p = program->context;
	const Sandbox__Request *rq;

	program->policy = p->policy;
	if (program->policy)
		return 0;
	rq = await_order(program, &f, e);
	if (!rq)
		return -1;
	program->policy = rules_policy(p->in->rules, rq->policy);
	return program->policy ? 0 : err_set(e, "there is no policy '%s'", rq->policy);
}

/* The request row: descriptors in the order stdin, stdout, stderr, extra files. */
static int await_request(struct jail_program *program, struct err *e)
{
	static struct channel_frame f;
	const Sandbox__Request *rq = await_order(program, &f, e);

	if (!rq)
		return -1;
	*((const struct pid1 *)program->context)->asked = 1;
	if (f.nfds < 3)
		return err_set(e, "%zu descriptors came", f.nfds);
	program->argv = vector(rq->argv, rq->n_argv);
	program->envp = vector(rq->env, rq->n_env);
	if (!program->argv || !program->envp)
		return err_set(e, "out of memory");
	program->fds = f.fds;
	program->nfds = f.nfds;
	program->cwd = rq->cwd;
	program->stack_bytes = rq->stack_bytes;
	program->open_files = rq->open_files;
	return 0;
}

static int report_end(const struct pid1 *p, int status, const struct rusage *usage, struct err *e)
{
	Sandbox__Reply r = SANDBOX__REPLY__INIT;

	r.last = 1;
	r.status = WIFEXITED(status) ? SANDBOX__STATUS__EXITED : SANDBOX__STATUS__SIGNALED;
	r.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	r.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	r.voluntary_switches = (uint64_t)usage->ru_nvcsw;
	r.involuntary_switches = (uint64_t)usage->ru_nivcsw;
	return reply(p, &r, NULL, 0, e);
}

/*
 * Reaps whatever has ended, orphans too: their zombies would count against the program's limit of processes.  With the child, all
 * of the run ends.  A child that nobody gave a request has left nothing: the files that were put for the next one stay.
 */
static int reap(struct pid1 *p, struct err *e)
{
	struct signalfd_siginfo ignored;
	struct rusage usage;
	int status;
	pid_t pid;

	(void)!read(p->children, &ignored, sizeof(ignored));
	while ((pid = wait4(-1, &status, WNOHANG | __WALL, &usage)) > 0) {
		if (pid != p->child)
			continue;
		p->child = 0;
		if (*p->asked)
			p->box.used = p->network_used = 1;
		return kill_all(e) < 0 ? -1 : report_end(p, status, &usage, e);
	}
	return 0;
}

static int handle_prepare(struct pid1 *p, const Sandbox__Request *rq, struct channel_frame *f,
			  struct err *e)
{
	(void)f;
	if (network_check(&p->network, e) < 0 ||
	    box_prepare(&p->box, rq->same_box, rq->box_bytes, rq->box_inodes, e) < 0)
		return -1;
	return reply_done(p, e);
}

static int clone_child(struct pid1 *p, const Sandbox__Request *rq, const struct channel_frame *f,
		       int *pidfd, struct err *e)
{
	struct jail_program program = {
		.await_policy = await_policy,
		.await_request = await_request,
		.context = p,
		.sync_fd = f->fds[0],
		.procs_fds = f->fds + 1,
		.nprocs_fds = (int)rq->attach,
		.root = p->in->cell.root,
		.cell = p->own,
		.session_keyring = jail_session_keyring(),
	};

	if (reset_pids(p, e) < 0)
		return -1;
	*p->asked = 0;
	p->child = start_program(p, &program, pidfd);
	if (p->child > 0)
		return 0;
	p->child = 0;
	return err_sys(e, "clone");
}

static int drop_child(struct pid1 *p, struct err *e)
{
	p->child = 0;
	return kill_all(e);
}

static int handle_park(struct pid1 *p, const Sandbox__Request *rq, struct channel_frame *f,
		       struct err *e)
{
	struct pollfd ended = {p->children, POLLIN, 0};
	Sandbox__Reply r = SANDBOX__REPLY__INIT;
	AUTO_CLOSE int pidfd = -1;
	int renewed;

	/* The keeper may have seen the last child end before we did. */
	while (p->child != 0)
		if ((poll(&ended, 1, -1) < 0 && errno != EINTR) || reap(p, e) < 0)
			_exit(1);
	box_look(&p->box);
	p->policy = p->box.used ? NULL : rules_policy(p->in->rules, rq->policy);
	if (clone_child(p, rq, f, &pidfd, e) < 0)
		return -1;
	/* Only now, while the child is on its way: it is nearly always nothing.  If not, the child is one of the old namespace. */
	renewed = renew_network(p, e);
	if (renewed < 0 || (renewed && drop_child(p, e) < 0))
		_exit(1); /* the keeper notices, and wipes the cell */
	r.last = 1;
	r.again = renewed;
	r.box_ready = !p->box.used;
	return reply(p, &r, &pidfd, renewed ? 0 : 1, e);
}

static handler *const handlers[] = {
	[SANDBOX__REQUEST__KIND__PUT] = handle_put,
	[SANDBOX__REQUEST__KIND__FETCH] = handle_fetch,
	[SANDBOX__REQUEST__KIND__KEEP] = handle_keep,
	[SANDBOX__REQUEST__KIND__PARK] = handle_park,
	[SANDBOX__REQUEST__KIND__PREPARE] = handle_prepare,
};

/* What went wrong is the keeper's to judge: it may be the contents of the box. */
static void serve_one(struct pid1 *p, struct channel_frame *f)
{
	struct err e = {0};
	Sandbox__Request *rq =
		(Sandbox__Request *)channel_unpack(f, &sandbox__request__descriptor, &e);

	if (!rq)
		_exit(1);
	if (handlers[rq->kind](p, rq, f, &e) < 0) {
		Sandbox__Reply r = SANDBOX__REPLY__INIT;

		wire_make_utf8(e.msg); /* it may have a name from the box in it */
		r.error = e.msg;
		r.error_number = e.num;
		r.last = 1;
		if (reply(p, &r, NULL, 0, &e) < 0)
			_exit(1);
	}
	sandbox__request__free_unpacked(rq, NULL);
	channel_frame_release(f);
}

/* Leaves the descriptors that init works with, and standard error, as the only ones. */
static void keep_only(struct init *in)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		_exit(1);
	in->sock = fcntl(in->sock, F_DUPFD_CLOEXEC, 700);
	in->last_pid_fd = fcntl(in->last_pid_fd, F_DUPFD_CLOEXEC, 700);
	if (in->sock < 0 || in->last_pid_fd < 0)
		_exit(1);
	int low = in->sock < in->last_pid_fd ? in->sock : in->last_pid_fd;
	int high = in->sock < in->last_pid_fd ? in->last_pid_fd : in->sock;

	(void)close_range(3, (unsigned)low - 1, 0);
	if (high > low + 1)
		(void)close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	(void)close_range((unsigned)high + 1, ~0U, 0);
}

/* One word that a child keeps sharing with init until it becomes the program. */
static int share_word(struct pid1 *p, struct err *e)
{
	p->asked = mmap(NULL, sizeof(*p->asked), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	return p->asked == MAP_FAILED ? err_sys(e, "mmap") : 0;
}

/* SIGCHLD comes as something to read; a child begins with the signals row, which undoes this. */
static int watch_children(struct pid1 *p, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(e, "sigprocmask");
	p->children = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return p->children < 0 ? err_sys(e, "signalfd") : 0;
}

static int enter(struct pid1 *p, struct init *in, struct err *e)
{
	if (jail_enter_cell(in->tables, &in->cell, e) < 0)
		return -1;
	keep_only(in); /* before the box opens descriptors of its own */
	if (watch_children(p, e) < 0 || share_word(p, e) < 0 ||
	    box_open(&p->box, in->cell.root, e) < 0 ||
	    network_open(&p->network, in->cell.network, e) < 0)
		return -1;
	return jail_namespaces_read(&p->own, e);
}

/* One thing that happened: a process ended, or the keeper asks for something.  Returns 0 when the keeper is gone. */
static int serve(struct pid1 *p)
{
	static struct channel_frame frame;
	struct pollfd happens[] = {{p->children, POLLIN, 0}, {p->in->sock, POLLIN, 0}};
	struct err e = {0};

	if (poll(happens, ARRAY_LEN(happens), -1) < 0 && errno != EINTR)
		return 0;
	/* The keeper notices that we are gone, and wipes the cell. */
	if (happens[0].revents && reap(p, &e) < 0)
		return 0;
	if (!happens[1].revents)
		return 1;
	if (channel_receive(p->in->sock, -1, &frame, &e) != 1)
		return 0;
	serve_one(p, &frame);
	return 1;
}

_Noreturn void init_main(struct init *in)
{
	static struct pid1 p;
	struct err e = {0};
	Sandbox__Reply hello = SANDBOX__REPLY__INIT;

	p.in = in;
	hello.last = 1;
	if (enter(&p, in, &e) < 0) {
		wire_make_utf8(e.msg);
		hello.error = e.msg;
		(void)reply(&p, &hello, NULL, 0, &e);
		_exit(1);
	}
	if (reply(&p, &hello, NULL, 0, &e) < 0)
		_exit(1);
	while (serve(&p))
		continue;
	_exit(0);
}
