#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "proto/channel.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/policy.h"
#include "sandbox/run_parts.h"

#define CLEANUP_US 10000000

/*
 * All processes are killed here and at once, not by init when it learns of the first one's death: until init gets a CPU among
 * them, they would go on.
 */
void watch_fire(struct run *r, Sandbox__Status status)
{
	struct err ignored;

	if (!r->fired)
		r->fired = status;
	/* Init kills and reaps what is left, whatever becomes of this. */
	if (!r->killed && cgroup_kill(&r->cgroup, &ignored) < 0)
		(void)syscall(SYS_pidfd_send_signal, r->pidfd, SIGKILL, NULL, 0);
	r->killed = 1;
}

static void on_forbidden(struct run *r)
{
	struct policy_call call;
	struct err e = {0};

	if (r->fired || policy_read_forbidden(r->listener, &call, &e) != 0)
		return;
	snprintf(r->result->syscall, sizeof(r->result->syscall), "%s", call.name);
	watch_fire(r, SANDBOX__STATUS__FORBIDDEN_SYSCALL);
}

int watch_oom(struct run *r, struct err *e)
{
	uint64_t kills;
	bool at_limit;

	if (cgroup_oom_kills(&r->cgroup, &kills, &at_limit, e) < 0)
		return -1;
	if (kills > 0 && at_limit)
		watch_fire(r, SANDBOX__STATUS__MEMORY_LIMIT);
	else if (kills > 0) {
		run_explain(r, "the machine, not the program, ran out of memory");
		watch_fire(r, SANDBOX__STATUS__SANDBOX_ERROR);
	}
	return 0;
}

int watch_output(struct run *r, struct output *o, struct err *e)
{
	int full = output_drain(o, &r->output_left, e);

	if (full == 1)
		watch_fire(r, SANDBOX__STATUS__OUTPUT_LIMIT);
	return full < 0 ? -1 : 0;
}

void watch_sync(struct run *r)
{
	struct jail_message m = {0};
	struct err e = {0};

	while (park_read_word(r->sync, 0, &m, &r->listener, &e) == 1) {
		if (m.word == JAIL_STARTS) {
			r->started = 1;
			r->cpu_base_us = (uint64_t)m.set_up_us;
			r->go_us = m.started_us;
		} else if (m.word == JAIL_FAILED && !m.exec) {
			r->refused = 1;
			r->setup_err = m.err;
		} else if (m.word == JAIL_FAILED) {
			run_report(r)->exec_errno = m.err.num;
			run_explain(r, "%s", m.err.msg);
			if (!r->fired)
				r->fired = SANDBOX__STATUS__SANDBOX_ERROR;
		}
	}
}

int watch_init(struct run *r, struct err *e)
{
	static struct channel_frame f;
	Sandbox__Reply *ended = cell_hear_end(r->cell, PARK_MS, &f, e);
	Sandbox__Reply *mine = run_report(r);

	if (!ended)
		return -1;
	channel_frame_release(&f);
	r->init_done = 1;
	mine->status = ended->status;
	mine->exit_code = ended->exit_code;
	mine->signal = ended->signal;
	mine->voluntary_switches = ended->voluntary_switches;
	mine->involuntary_switches = ended->involuntary_switches;
	sandbox__reply__free_unpacked(ended, NULL);
	return 0;
}

enum { P_INIT, P_END, P_OUT, P_ERR, P_OOM, P_LISTENER, P_SINK_OUT, P_SINK_ERR, P_CLIENT, P_COUNT };

static void fill_polls(const struct run *r, struct pollfd *p)
{
	p[P_INIT] = (struct pollfd){r->cell->init_sock, POLLIN, 0};
	p[P_END] = (struct pollfd){r->end_us ? -1 : r->pidfd, POLLIN, 0};
	p[P_OUT] = (struct pollfd){r->out.pipe, POLLIN, 0};
	p[P_ERR] = (struct pollfd){r->err_out.pipe, POLLIN, 0};
	p[P_OOM] = (struct pollfd){r->killed ? -1 : r->cgroup.oom_fd, r->cgroup.oom_events, 0};
	p[P_LISTENER] = (struct pollfd){r->killed ? -1 : r->listener, POLLIN, 0};
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
	if (p[P_OOM].revents && watch_oom(r, e) < 0)
		return -1;
	if (p[P_OUT].revents && watch_output(r, &r->out, e) < 0)
		return -1;
	if (p[P_ERR].revents && watch_output(r, &r->err_out, e) < 0)
		return -1;
	if (p[P_SINK_OUT].revents)
		output_pump(&r->out);
	if (p[P_SINK_ERR].revents)
		output_pump(&r->err_out);
	if (p[P_END].revents) {
		r->end_us = io_monotonic_us();
		if (park_order(r->cell, r->rq->policy, e) < 0)
			return -1;
	}
	if (p[P_CLIENT].revents)
		return err_set(e, "the client went away");
	return p[P_INIT].revents ? watch_init(r, e) : 0;
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

/* How long to sleep: not at all while there are chores. */
static struct timespec until_next(struct run *r, int chores, struct err *e)
{
	int64_t us = chores ? 0 : r->end_us ? RUN_SAMPLE_US : deadline_next_us(r, e);

	return (struct timespec){us < 0 ? -1 : us / 1000000, us % 1000000 * 1000};
}

int watch_run(struct run *r, struct err *e)
{
	struct pollfd p[P_COUNT];
	/*
	 * They would be in the way on the CPU of a pinned program, and of any program in its first moments: those may be all it
	 * needs, and it often shares our CPU.
	 */
	int chores = !r->stays;
	int begun = 0;

	while (!r->init_done) {
		struct timespec t = until_next(r, begun && chores > 0, e);
		int n;

		if (t.tv_sec < 0 || check_dying(r, e) < 0)
			return -1;
		fill_polls(r, p);
		n = ppoll(p, P_COUNT, &t, NULL);
		if (n < 0 && errno != EINTR)
			return err_sys(e, "poll");
		/* Each is short; what happens meanwhile is seen between two of them. */
		if (n == 0 && begun && chores > 0)
			chores = park_chore(r->cell, &r->cgroup.limits, e);
		begun |= n == 0;
		if (chores < 0 || (n > 0 && dispatch(r, p, e) < 0))
			return -1;
	}
	return 0;
}
