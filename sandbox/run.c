#include "sandbox/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/channel.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "proto/wire.h"
#include "sandbox/clock.h"
#include "sandbox/core.h"
#include "sandbox/run_parts.h"
#include "sandbox/spec.h"

Sandbox__Reply *run_report(struct run *r)
{
	return &r->result->reply;
}

void run_explain(struct run *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->result->message, sizeof(r->result->message), fmt, ap);
	va_end(ap);
	wire_make_utf8(r->result->message);
}

/* Receives a reply of init that must come soon. */
Sandbox__Reply *run_init_reply(struct run *r, struct channel_frame *f, struct err *e)
{
	int n = channel_receive(r->cell->init_sock, RUN_SETUP_MS, f, e);

	if (n == 0)
		err_set(e, "the cell's init died");
	return n == 1 ? (Sandbox__Reply *)channel_unpack(f, &sandbox__reply__descriptor, e) : NULL;
}

/* The child's word, with the listener if it has one. */
int run_read_word(struct run *r, struct jail_message *m, struct err *e)
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

	if (poll(&p, 1, RUN_SETUP_MS) != 1)
		return err_set(e, "the jail was not ready after %d s", RUN_SETUP_MS / 1000);
	n = recvmsg(r->sync, &h, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	/* A child that died without reading its "go" leaves this error in front of its last word: unix(7). */
	if (n < 0 && errno == ECONNRESET)
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

	for (size_t i = 0; i < 3; i++)
		all[n++] = own[i];
	for (size_t i = spec_first_extra(rq); i < nfds; i++)
		all[n++] = fds[i];
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
	AUTO_CLOSE int out = -1;
	AUTO_CLOSE int err_end = -1;

	if (!rq->stdout_pipe && output_open(&r->out, r->ties->stdout_sink, &out, e) < 0)
		return -1;
	if (!rq->merge_stderr && output_open(&r->err_out, r->ties->stderr_sink, &err_end, e) < 0)
		return -1;

	if (give_to_program(r, out, e) < 0 || give_to_program(r, err_end, e) < 0)
		return -1;
	int stdout_end = rq->stdout_pipe ? fds[1] : out;
	int own[] = {fds[0], stdout_end, rq->merge_stderr ? stdout_end : err_end};

	return send_to_init(r, rq, own, fds, nfds, e);
}

/* Init has prepared the box and handed the request on, or says why not; then the child waits in vain. */
static int await_start(struct run *r, struct err *e)
{
	static struct channel_frame f;
	Sandbox__Reply *started = run_init_reply(r, &f, e);
	int refused;

	if (!started)
		return -1;
	refused = started->error[0] != '\0';
	if (refused) {
		err_set(e, "%s", started->error);
		e->num = started->error_number;
		(void)syscall(SYS_pidfd_send_signal, r->pidfd, SIGKILL, NULL, 0);
	}
	sandbox__reply__free_unpacked(started, NULL);
	channel_frame_release(&f);
	return refused;
}

/* 0 ready, 1 the set-up failed with *e, -1 the cell is broken. */
static int await_ready(struct run *r, struct err *e)
{
	struct jail_message m = {0};
	int n = run_read_word(r, &m, e);

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

static int go(struct run *r, struct err *e)
{
	if (r->cgroup.limits.cpu >= 0)
		r->stays = clock_stay(r->cgroup.limits.cpu, &r->before);
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
	Sandbox__Reply *m = run_report(r);
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
	if (!r->fired && watch_oom(r, e) < 0)
		return -1;
	if (!r->fired && run_report(r)->cpu_time_us > r->rq->cpu_time_us)
		r->fired = SANDBOX__STATUS__CPU_TIME_LIMIT;
	if (r->fired)
		run_report(r)->status = r->fired;
	run_report(r)->syscall = r->result->syscall;
	run_report(r)->message = r->result->message;
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
			if (watch_output(r, o, e) < 0)
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
	if (watch_init(r, &e) < 0) {
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
	status = go(r, e) < 0 || watch_run(r, e) < 0 ? -1 : 0;
	if (r->stays)
		clock_leave(&r->before);
	if (status < 0)
		return -1;
	if (r->sync >= 0)
		watch_sync(r);
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

/* Takes the parked child over. */
static void unpark(struct run *r)
{
	struct park *p = &r->cell->park;

	r->cgroup = p->cgroup;
	r->sync = fd_steal(&p->sync);
	r->pidfd = fd_steal(&p->pidfd);
}

static int run_child(struct run *r, Sandbox__Request *rq, const int *fds, size_t nfds,
		     struct err *e)
{
	int status;

	unpark(r);
	status = run_it(r, rq, fds, nfds, e);
	run_close(r);
	r->cell->spent = r->cgroup;
	return status;
}

static int run_on(const struct core *core, struct cell *c, Sandbox__Request *rq, const int *fds,
		  size_t nfds, const struct run_ties *ties, struct run_result *result,
		  struct err *e)
{
	struct cgroup_limits limits = {.memory_bytes = rq->memory_bytes,
				       .processes = rq->processes,
				       .cpu_milli = rq->cpu_milli,
				       .cpu = core->cpu};
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
	int status;

	status = park_ready(c, &limits, e);
	if (status != 0)
		return status;
	for (size_t i = 0; i < nfds; i++)
		own[i] = fds[i];
	status = reopen_inputs(rq, own, nfds, e) < 0 ? 1 : run_child(&r, rq, own, nfds, e);
	for (size_t i = 0; i < nfds; i++)
		if (own[i] != fds[i])
			(void)close(own[i]);
	if (status != 0)
		discard(result);
	return status;
}

int run_request(struct cell *c, Sandbox__Request *rq, const int *fds, size_t nfds,
		const struct run_ties *ties, struct run_result *result, struct err *e)
{
	int cpu = rq->pin_cpu > 0 ? rq->pin_cpu - 1 : CORE_ANY;
	struct core core = {-1, -1};
	int status = 0;

	*result = (struct run_result){0};
	sandbox__reply__init(&result->reply);
	result->reply.last = 1;
	if (rq->pin_cpu != 0 || c->options.cpus)
		status = core_claim(&core, cpu, &c->cpus, c->park.cgroup.limits.cpu, ties->client,
				    e);
	if (status == 0)
		status = run_on(&core, c, rq, fds, nfds, ties, result, e);
	core_release(&core);
	return status;
}

int run_settle(struct cell *c, struct err *e)
{
	struct cgroup_limits limits = c->spent.limits;
	int status;

	if (!c->spent.cell)
		return 0;
	status = cgroup_close(&c->spent, e);
	c->spent.cell = NULL;
	if (status < 0 || c->options.once)
		return status;
	/* A refusal now is one for the next run, which will hear the reason itself. */
	return park_ready(c, &limits, e) < 0 ? -1 : 0;
}
