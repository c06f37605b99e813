#include "sandbox/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
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

/* Everything goes to the child; the writing ends of the pipes stay with it alone. */
static int hand_over(struct run *r, const Sandbox__Request *rq, const int *fds, size_t nfds,
		     struct err *e)
{
	struct park *p = &r->cell->park;
	int all[CHANNEL_FDS_MAX] = {fds[0], rq->stdout_pipe ? fds[1] : p->out.end};
	struct err gone = {0};
	size_t n = 3;

	if (nfds - spec_first_extra(rq) > ARRAY_LEN(all) - n)
		return err_set(e, "%zu descriptors are too many", nfds);
	all[2] = rq->merge_stderr ? all[1] : p->err_out.end;
	for (size_t i = spec_first_extra(rq); i < nfds; i++)
		all[n++] = fds[i];
	if (r->cgroup.limits.cpu >= 0)
		r->stays = clock_stay(r->cgroup.limits.cpu, &r->before);
	r->go_us = r->sampled_us = io_monotonic_us();
	/* A child that is dead already, by the memory limit for one: init says so. */
	if (channel_send(r->sync, &rq->base, all, n, &gone) < 0 && gone.num != EPIPE &&
	    gone.num != ECONNRESET) {
		*e = gone;
		return -1;
	}
	(void)close(fd_steal(&p->out.end));
	(void)close(fd_steal(&p->err_out.end));
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

static int run_it(struct run *r, const Sandbox__Request *rq, const int *fds, size_t nfds,
		  struct err *e)
{
	int status = hand_over(r, rq, fds, nfds, e) < 0 || watch_run(r, e) < 0 ? -1 : 0;

	if (r->stays)
		clock_leave(&r->before);
	if (status < 0)
		return -1;
	watch_sync(r);
	if (!r->started && !r->refused)
		err_set(&r->setup_err, "jail: killed during set-up");
	if (!r->started) {
		*e = r->setup_err;
		return 1;
	}
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

static void take_pipe(struct park_pipe *p, int wanted, int sink, struct output *o)
{
	if (!wanted) {
		output_close(&p->output);
		return;
	}
	*o = p->output;
	o->sink = sink;
	p->output = (struct output){.pipe = -1, .memfd = -1, .sink = -1};
}

/* Takes the armed child over. */
static void unpark(struct run *r)
{
	struct park *p = &r->cell->park;

	r->cgroup = p->cgroup;
	p->cgroup.cell = NULL;
	r->sync = fd_steal(&p->sync);
	r->pidfd = fd_steal(&p->pidfd);
	r->listener = fd_steal(&p->listener);
	r->cpu_base_us = p->cpu_base_us;
	take_pipe(&p->out, !r->rq->stdout_pipe, r->ties->stdout_sink, &r->out);
	take_pipe(&p->err_out, !r->rq->merge_stderr, r->ties->stderr_sink, &r->err_out);
	r->cell->box.ready = 0;
}

static int run_child(struct run *r, const Sandbox__Request *rq, const int *fds, size_t nfds,
		     struct err *e)
{
	struct cgroup *spent = r->cell->spent;
	int status;

	unpark(r);
	status = run_it(r, rq, fds, nfds, e);
	run_close(r);
	/* One may still be there, if this run was over before the chores began. */
	spent[spent[0].cell ? 1 : 0] = r->cgroup;
	return status;
}

/* Init makes the box what this run is to find, unless it is that already. */
static int prepare(struct cell *c, const Sandbox__Request *rq, struct err *e)
{
	static struct channel_frame f;
	Sandbox__Request order = SANDBOX__REQUEST__INIT;
	struct cell_box *box = &c->box;
	Sandbox__Reply *done;
	int status;

	if (box->ready && box->bytes == rq->box_bytes && box->inodes == rq->box_inodes &&
	    !c->bridge.rule)
		return 0;
	if (!box->ready && c->park.listener >= 0 && park_drop(c, e) < 0)
		return -1;
	order.kind = SANDBOX__REQUEST__KIND__PREPARE;
	order.same_box = rq->same_box;
	order.box_bytes = rq->box_bytes;
	order.box_inodes = rq->box_inodes;
	if (channel_send(c->init_sock, &order.base, NULL, 0, e) < 0)
		return -1;
	done = cell_hear(c, PARK_MS, &f, e);
	if (!done)
		return -1;
	status = done->error[0] ? 1 : 0;
	if (status) {
		err_set(e, "%s", done->error);
		e->num = done->error_number;
	}
	box->ready = !status && (box->ready || !rq->same_box);
	box->bytes = rq->box_bytes;
	box->inodes = rq->box_inodes;
	sandbox__reply__free_unpacked(done, NULL);
	channel_frame_release(&f);
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

	status = prepare(c, rq, e);
	if (status == 0)
		status = park_ready(c, &limits, rq->policy, e);
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
	if (rq->pin_cpu != SPEC_PIN_NONE && (rq->pin_cpu != 0 || c->options.cpus))
		status = core_claim(&core, cpu, &c->cpus, c->park.cgroup.limits.cpu, ties->client,
				    e);
	if (status == 0)
		status = run_on(&core, c, rq, fds, nfds, ties, result, e);
	core_release(&core);
	return status;
}

int run_settle(struct cell *c, const char *policy, struct err *e)
{
	const struct cgroup *last = &c->spent[c->spent[1].cell ? 1 : 0];
	struct cgroup_limits limits = last->limits;

	if (!last->cell || c->options.once)
		return 0;
	if (last == &c->spent[1]) {
		if (cgroup_close(&c->spent[0], e) < 0)
			return -1;
		c->spent[0] = c->spent[1];
		c->spent[1].cell = NULL;
	}
	/* A refusal now is one for the next run, which will hear the reason itself. */
	return park_ahead(c, &limits, policy, e) < 0 ? -1 : 0;
}
