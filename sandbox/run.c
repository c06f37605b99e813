#include "sandbox/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "proto/channel.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "proto/wire.h"
#include "sandbox/cell.h"
#include "sandbox/output.h"
#include "sandbox/policy.h"
#include "sandbox/spec.h"

#define SETUP_MS   10000 /* for init and the child to get ready, on a machine that is very busy */
#define CLEANUP_US 10000000
#define SAMPLE_US  20000
#define NEAR_US    300 /* the shortest sleep: looking more often costs more than it tells */

struct run {
	struct cell *cell;
	const Sandbox__Request *rq;
	const struct run_ties *ties;
	struct cgroup cgroup;
	struct output out, err_out;
	uint64_t output_left;
	int sync, pidfd, listener;
	uint64_t cpu_base_us; /* used before "go": set-up, not the program's */
	int64_t go_us, end_us, dying_us, sampled_us;
	Sandbox__Status fired; /* the first limit that was hit, or 0 */
	int killed;
	int init_done; /* init has told how it ended */
	struct run_result *result;
};

static Sandbox__Reply *report(struct run *r)
{
	return &r->result->reply;
}

__attribute__((format(printf, 2, 3))) static void explain(struct run *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->result->message, sizeof(r->result->message), fmt, ap);
	va_end(ap);
	wire_make_utf8(r->result->message);
}

/* The first limit is the one that counts; the program dies, and init then kills all the others. */
static void fire(struct run *r, Sandbox__Status status)
{
	if (!r->fired)
		r->fired = status;
	if (!r->killed)
		(void)syscall(SYS_pidfd_send_signal, r->pidfd, SIGKILL, NULL, 0);
	r->killed = 1;
}

/* Receives a reply of init that must come soon. */
static Sandbox__Reply *init_reply(struct run *r, struct channel_frame *f, struct err *e)
{
	int n = channel_receive(r->cell->init_sock, SETUP_MS, f, e);

	if (n == 0)
		err_set(e, "the cell's init died");
	return n == 1 ? (Sandbox__Reply *)channel_unpack(f, &sandbox__reply__descriptor, e) : NULL;
}

/* The child's word, with the listener if it has one. */
static int read_word(struct run *r, struct jail_message *m, struct err *e)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {m, sizeof(*m)};
	struct msghdr h = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = sizeof(control.bytes)};
	struct pollfd p = {.fd = r->sync, .events = POLLIN};
	struct cmsghdr *c;
	ssize_t n;

	if (poll(&p, 1, SETUP_MS) != 1)
		return err_set(e, "the jail was not ready after %d s", SETUP_MS / 1000);
	n = recvmsg(r->sync, &h, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	c = n < 0 ? NULL : CMSG_FIRSTHDR(&h);
	if (c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&r->listener, CMSG_DATA(c), sizeof(int));
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(*m))
		return err_set(e, "the jail's report is cut short");
	m->err.msg[sizeof(m->err.msg) - 1] = '\0';
	return 1;
}

/* Sends the request on to init, with the descriptors that the child needs. */
static int send_to_init(struct run *r, Sandbox__Request *rq, const int *own, const int *fds,
			size_t nfds, struct err *e)
{
	int all[CHANNEL_FDS_MAX] = {0};
	size_t n = 0;

	for (size_t i = 0; i < 4; i++)
		all[n++] = own[i];
	for (int i = 0; i < r->cgroup.nprocs_fds; i++)
		all[n++] = r->cgroup.procs_fds[i];
	for (size_t i = spec_first_extra(rq); i < nfds; i++)
		all[n++] = fds[i];
	rq->attach = (uint32_t)r->cgroup.nprocs_fds;
	return channel_send(r->cell->init_sock, &rq->base, all, n, e);
}

/* Each run reads its input through an open file of its own: no offset is shared with another run. */
static int reopen_inputs(const Sandbox__Request *rq, int *fds, size_t nfds, struct err *e)
{
	for (size_t i = 0; i < nfds; i++) {
		int own;

		if ((i == 0 && rq->stdin_pipe) || (i == 1 && rq->stdout_pipe))
			own = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
		else
			own = io_reopen(fds[i], e);
		if (own < 0)
			return err_wrap(e, "descriptor %zu", i);
		fds[i] = own;
	}
	return 0;
}

/* A program may open /dev/stdout and /dev/stderr, which asks for the owner of the pipe. */
static int give_to_program(const struct run *r, int pipe, struct err *e)
{
	uid_t id = r->cell->ids.program;

	return pipe >= 0 && fchown(pipe, id, id) < 0 ? err_sys(e, "owner of a pipe") : 0;
}

/* Pipes for the program's output, then everything goes to init; the writing ends stay with the child alone. */
static int hand_over(struct run *r, Sandbox__Request *rq, const int *fds, size_t nfds,
		     struct err *e)
{
	int sync[2];
	AUTO_CLOSE int out = -1;
	AUTO_CLOSE int err_end = -1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync) < 0)
		return err_sys(e, "socketpair");
	AUTO_CLOSE int child_sync = sync[1];

	r->sync = sync[0];
	if (!rq->stdout_pipe && output_open(&r->out, r->ties->stdout_sink, &out, e) < 0)
		return -1;
	if (!rq->merge_stderr && output_open(&r->err_out, r->ties->stderr_sink, &err_end, e) < 0)
		return -1;

	if (give_to_program(r, out, e) < 0 || give_to_program(r, err_end, e) < 0)
		return -1;
	int stdout_end = rq->stdout_pipe ? fds[1] : out;
	int own[] = {child_sync, fds[0], stdout_end, rq->merge_stderr ? stdout_end : err_end};

	return send_to_init(r, rq, own, fds, nfds, e);
}

static int await_start(struct run *r, struct err *e)
{
	static struct channel_frame f;
	Sandbox__Reply *started = init_reply(r, &f, e);
	int refused;

	if (!started)
		return -1;
	refused = started->error[0] != '\0';
	if (refused)
		err_set(e, "%s", started->error);
	sandbox__reply__free_unpacked(started, NULL);
	if (!refused && f.nfds != 1) {
		channel_frame_release(&f);
		return err_set(e, "the cell's init sent no pidfd");
	}
	if (!refused)
		r->pidfd = f.fds[0];
	return refused;
}

/* 0 ready, 1 the set-up failed with *e, -1 the cell is broken. */
static int await_ready(struct run *r, struct err *e)
{
	struct jail_message m = {0};
	int n = read_word(r, &m, e);

	if (n < 0)
		return -1;
	if (n == 0) {
		err_set(e, "jail: killed during set-up");
		return 1;
	}
	if (m.word != JAIL_READY || r->listener < 0) {
		*e = m.err;
		if (m.word == JAIL_READY)
			err_set(e, "jail: seccomp: no listener came");
		return 1;
	}
	if (cgroup_check_joined(r->cgroup.dirs, e) < 0) {
		err_wrap(e, "jail: attach");
		return 1;
	}
	return 0;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* How many CPUs the run could be burning at once. */
static int64_t widest(const struct run *r)
{
	int64_t cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (r->rq->pin_cpu)
		return 1;
	return least(cpus, r->rq->processes);
}

/* Checks the clocks; returns how long nothing can happen. */
static int64_t check_clocks(struct run *r, struct err *e)
{
	int64_t now = io_monotonic_us();
	int64_t wall_left = r->go_us + (int64_t)r->rq->wall_time_us - now;
	uint64_t used;
	int64_t cpu_left;

	if (cgroup_cpu_usage_us(&r->cgroup, &used, e) < 0)
		return -1;
	cpu_left = (int64_t)r->rq->cpu_time_us - (int64_t)(used - r->cpu_base_us);
	if (cpu_left < 0)
		fire(r, SANDBOX__STATUS__CPU_TIME_LIMIT);
	else if (wall_left <= 0)
		fire(r, SANDBOX__STATUS__WALL_TIME_LIMIT);
	if (now - r->sampled_us >= SAMPLE_US) {
		r->sampled_us = now;
		if (cgroup_sample(&r->cgroup, e) < 0)
			return -1;
	}
	if (r->killed)
		return SAMPLE_US;
	cpu_left = cpu_left / widest(r);
	if (cpu_left < NEAR_US)
		cpu_left = NEAR_US;
	return least(least(cpu_left, wall_left), SAMPLE_US);
}

static void on_forbidden(struct run *r)
{
	struct policy_call call;
	struct err e = {0};

	if (r->fired || policy_read_forbidden(r->listener, &call, &e) != 0)
		return;
	snprintf(r->result->syscall, sizeof(r->result->syscall), "%s", call.name);
	fire(r, SANDBOX__STATUS__FORBIDDEN_SYSCALL);
}

static int on_oom(struct run *r, struct err *e)
{
	uint64_t kills;
	bool at_limit;

	if (cgroup_oom_kills(&r->cgroup, &kills, &at_limit, e) < 0)
		return -1;
	if (kills > 0 && at_limit)
		fire(r, SANDBOX__STATUS__MEMORY_LIMIT);
	else if (kills > 0) {
		explain(r, "the machine, not the program, ran out of memory");
		fire(r, SANDBOX__STATUS__SANDBOX_ERROR);
	}
	return 0;
}

static int on_output(struct run *r, struct output *o, struct err *e)
{
	int full = output_drain(o, &r->output_left, e);

	if (full == 1)
		fire(r, SANDBOX__STATUS__OUTPUT_LIMIT);
	return full < 0 ? -1 : 0;
}

/* execve failed: the child says so after "go", on the socket that exec would have closed. */
static void on_sync(struct run *r)
{
	struct jail_message m = {0};
	struct err e = {0};

	if (read_word(r, &m, &e) == 1 && m.word == JAIL_FAILED) {
		report(r)->exec_errno = m.err.num;
		explain(r, "%s", m.err.msg);
		if (!r->fired)
			r->fired = SANDBOX__STATUS__SANDBOX_ERROR;
	}
	(void)close(fd_steal(&r->sync));
}

static int on_init(struct run *r, struct err *e)
{
	static struct channel_frame f;
	Sandbox__Reply *ended = init_reply(r, &f, e);
	Sandbox__Reply *mine = report(r);

	if (!ended)
		return -1;
	channel_frame_release(&f);
	r->init_done = 1;
	mine->status = ended->status;
	mine->exit_code = ended->exit_code;
	mine->signal = ended->signal;
	mine->voluntary_switches = ended->voluntary_switches;
	mine->involuntary_switches = ended->involuntary_switches;
	if (ended->error[0])
		err_set(e, "%s", ended->error);
	int status = ended->error[0] ? -1 : 0;

	sandbox__reply__free_unpacked(ended, NULL);
	return status;
}

enum {
	P_INIT,
	P_END,
	P_OUT,
	P_ERR,
	P_OOM,
	P_LISTENER,
	P_SYNC,
	P_SINK_OUT,
	P_SINK_ERR,
	P_CLIENT,
	P_COUNT
};

static void fill_polls(const struct run *r, struct pollfd *p)
{
	p[P_INIT] = (struct pollfd){r->cell->init_sock, POLLIN, 0};
	p[P_END] = (struct pollfd){r->end_us ? -1 : r->pidfd, POLLIN, 0};
	p[P_OUT] = (struct pollfd){r->out.pipe, POLLIN, 0};
	p[P_ERR] = (struct pollfd){r->err_out.pipe, POLLIN, 0};
	p[P_OOM] = (struct pollfd){r->killed ? -1 : r->cgroup.oom_fd, r->cgroup.oom_events, 0};
	p[P_LISTENER] = (struct pollfd){r->killed ? -1 : r->listener, POLLIN, 0};
	p[P_SYNC] = (struct pollfd){r->sync, POLLIN, 0};
	p[P_SINK_OUT] = (struct pollfd){output_wants_sink(&r->out) ? r->out.sink : -1, POLLOUT, 0};
	p[P_SINK_ERR] =
		(struct pollfd){output_wants_sink(&r->err_out) ? r->err_out.sink : -1, POLLOUT, 0};
	p[P_CLIENT] = (struct pollfd){r->ties->client, POLLRDHUP, 0};
}

static int dispatch(struct run *r, const struct pollfd *p, struct err *e)
{
	/* A forbidden call and the memory limit come before output: they may be why it stopped. */
	if (p[P_LISTENER].revents & POLLIN)
		on_forbidden(r);
	else if (p[P_LISTENER].revents) /* hung up: nobody is left who could make a call */
		(void)close(fd_steal(&r->listener));
	if (p[P_OOM].revents && on_oom(r, e) < 0)
		return -1;
	if (p[P_SYNC].revents)
		on_sync(r);
	if (p[P_OUT].revents && on_output(r, &r->out, e) < 0)
		return -1;
	if (p[P_ERR].revents && on_output(r, &r->err_out, e) < 0)
		return -1;
	if (p[P_SINK_OUT].revents)
		output_pump(&r->out);
	if (p[P_SINK_ERR].revents)
		output_pump(&r->err_out);
	if (p[P_END].revents)
		r->end_us = io_monotonic_us();
	if (p[P_CLIENT].revents)
		return err_set(e, "the client went away");
	return p[P_INIT].revents ? on_init(r, e) : 0;
}

/* Once the program is dead or killed, init has a while to clean up: what cannot be killed must not hold us for ever. */
static int check_dying(struct run *r, struct err *e)
{
	if (!r->killed && !r->end_us)
		return 0;
	if (r->dying_us == 0)
		r->dying_us = io_monotonic_us();
	if (io_monotonic_us() - r->dying_us > CLEANUP_US)
		return err_set(e, "processes would not die");
	return 0;
}

static int watch(struct run *r, struct err *e)
{
	struct pollfd p[P_COUNT];

	while (!r->init_done) {
		int64_t sleep_us = r->end_us ? SAMPLE_US : check_clocks(r, e);
		struct timespec t = {sleep_us / 1000000, sleep_us % 1000000 * 1000};

		if (sleep_us < 0 || check_dying(r, e) < 0)
			return -1;
		fill_polls(r, p);
		if (ppoll(p, P_COUNT, &t, NULL) < 0 && errno != EINTR)
			return err_sys(e, "poll");
		if (dispatch(r, p, e) < 0)
			return -1;
	}
	return 0;
}

static int go(struct run *r, struct err *e)
{
	/* The child has nothing to do but wait for us, so this reading is complete. */
	if (cgroup_cpu_usage_us(&r->cgroup, &r->cpu_base_us, e) < 0)
		return -1;
	r->go_us = r->sampled_us = io_monotonic_us();
	/* EPIPE: it was killed while it waited, by the memory limit for one; init will say so. */
	if (send(r->sync, "g", 1, MSG_NOSIGNAL) != 1 && errno != EPIPE)
		return err_sys(e, "start the program");
	return 0;
}

/* What the counters say once nothing runs any more. */
static int measure(struct run *r, struct err *e)
{
	struct cgroup_usage u;
	Sandbox__Reply *m = report(r);
	uint64_t cpu;

	if (cgroup_usage(&r->cgroup, &u, e) < 0)
		return -1;
	cpu = u.cpu_us > r->cpu_base_us ? u.cpu_us - r->cpu_base_us : 0;
	m->cpu_time_us = cpu;
	/* The split is the kernel's estimate; set-up is taken from system time, where it was spent. */
	m->user_time_us = u.user_us < cpu ? u.user_us : cpu;
	m->system_time_us = cpu - m->user_time_us;
	m->wall_time_us = (uint64_t)((r->end_us ? r->end_us : io_monotonic_us()) - r->go_us);
	m->memory_peak_bytes = u.memory_peak_bytes;
	m->anon_bytes = u.split.anon_bytes;
	m->shmem_bytes = u.split.shmem_bytes;
	m->file_bytes = u.split.file_bytes;
	m->kernel_bytes = u.split.kernel_bytes;
	m->processes_peak = u.processes_peak;
	m->throttled_us = u.throttled_us;
	m->output_bytes = r->out.collected + r->err_out.collected;
	return 0;
}

/* The status, decided on what was measured after death: a limit may have been passed without a watcher seeing it. */
static int decide(struct run *r, struct err *e)
{
	if (!r->fired && on_oom(r, e) < 0)
		return -1;
	if (!r->fired && report(r)->cpu_time_us > r->rq->cpu_time_us)
		r->fired = SANDBOX__STATUS__CPU_TIME_LIMIT;
	if (r->fired)
		report(r)->status = r->fired;
	report(r)->syscall = r->result->syscall;
	report(r)->message = r->result->message;
	return 0;
}

/* What was written before the end, without waiting: somebody in flight may still hold the other end. */
static int collect(struct run *r, struct err *e)
{
	struct output *streams[] = {&r->out, &r->err_out};

	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		struct output *o = streams[i];
		uint64_t before;

		if (o->memfd < 0)
			continue;
		do {
			before = o->collected;
			if (on_output(r, o, e) < 0)
				return -1;
		} while (o->collected > before);
		output_flush(o);
		r->result->fds[r->result->nfds] = output_take(o, e);
		if (r->result->fds[r->result->nfds] < 0)
			return -1;
		r->result->nfds++;
	}
	return 0;
}

/* The set-up failed: init still has to say that the child is gone. */
static int refuse(struct run *r, struct err *why)
{
	struct err e = {0};

	(void)syscall(SYS_pidfd_send_signal, r->pidfd, SIGKILL, NULL, 0);
	if (on_init(r, &e) < 0) {
		*why = e;
		return -1;
	}
	return 1;
}

static int run_it(struct run *r, Sandbox__Request *rq, const int *fds, size_t nfds, struct err *e)
{
	int status;

	if (hand_over(r, rq, fds, nfds, e) < 0)
		return -1;
	status = await_start(r, e);
	if (status != 0)
		return status;
	status = await_ready(r, e);
	if (status != 0)
		return status < 0 ? -1 : refuse(r, e);
	if (go(r, e) < 0 || watch(r, e) < 0)
		return -1;
	if (r->sync >= 0)
		on_sync(r);
	if (collect(r, e) < 0 || measure(r, e) < 0 || decide(r, e) < 0)
		return -1;
	return 0;
}

static void run_close(struct run *r)
{
	int fds[] = {r->sync, r->pidfd, r->listener};

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	output_close(&r->out);
	output_close(&r->err_out);
}

static void discard(struct run_result *result)
{
	for (size_t i = 0; i < result->nfds; i++)
		(void)close(result->fds[i]);
	result->nfds = 0;
}

int run_request(struct cell *c, Sandbox__Request *rq, const int *fds, size_t nfds,
		const struct run_ties *ties, struct run_result *result, struct err *e)
{
	struct cgroup_limits limits = {.memory_bytes = rq->memory_bytes,
				       .processes = rq->processes,
				       .cpu_milli = rq->cpu_milli,
				       .cpu = rq->pin_cpu - 1};
	struct run r = {.cell = c,
			.rq = rq,
			.ties = ties,
			.out = {.pipe = -1, .memfd = -1, .sink = -1},
			.err_out = {.pipe = -1, .memfd = -1, .sink = -1},
			.output_left = rq->output_bytes,
			.sync = -1,
			.pidfd = -1,
			.listener = -1,
			.result = result};
	int own[CHANNEL_FDS_MAX] = {0};
	struct err closing = {0};
	char name[32];
	int status;

	*result = (struct run_result){0};
	sandbox__reply__init(&result->reply);
	result->reply.last = 1;
	snprintf(name, sizeof(name), "run-%u", ++c->runs);
	if (cgroup_open(&c->cgroup, name, &limits, &r.cgroup, e) < 0)
		return 1;
	for (size_t i = 0; i < nfds; i++)
		own[i] = fds[i];
	status = reopen_inputs(rq, own, nfds, e) < 0 ? 1 : run_it(&r, rq, own, nfds, e);
	for (size_t i = 0; i < nfds; i++)
		if (own[i] != fds[i])
			(void)close(own[i]);
	run_close(&r);
	if (cgroup_close(&r.cgroup, &closing) < 0 && status >= 0) {
		*e = closing;
		status = -1;
	}
	if (status != 0)
		discard(result);
	return status;
}
