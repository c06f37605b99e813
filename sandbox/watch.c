#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

#define CLEANUP_US  10000000
#define SAMPLE_US   20000
#define STRETCH_MAX 10  /* how many times the wall limit a starved program may have */
#define NEAR_US     300 /* the shortest sleep: looking more often costs more than it tells */

/* The first limit is the one that counts; the program dies, and init then kills all the others. */
static void fire(struct run *r, Sandbox__Status status)
{
	if (!r->fired)
		r->fired = status;
	if (!r->killed)
		(void)syscall(SYS_pidfd_send_signal, r->pidfd, SIGKILL, NULL, 0);
	r->killed = 1;
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

/* The second number of a schedstat file, ns: how long that thread stood ready while others had the CPU. */
static int64_t read_delay_us(const char *path)
{
	char text[96];
	char *end;
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return 0; /* it has ended meanwhile */
	text[n] = '\0';
	(void)strtoull(text, &end, 10);
	return (int64_t)(strtoull(end, NULL, 10) / 1000);
}

static int64_t most_delayed_thread_us(unsigned long pid)
{
	char path[96];
	int64_t most = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%lu/task", pid);
	d = opendir(path);
	for (struct dirent *entry; d && (entry = readdir(d));) {
		int64_t delay;

		if (snprintf(path, sizeof(path), "/proc/%lu/task/%.20s/schedstat", pid,
			     entry->d_name) >= (int)sizeof(path))
			continue;
		delay = entry->d_name[0] == '.' ? 0 : read_delay_us(path);
		if (delay > most)
			most = delay;
	}
	if (d)
		closedir(d);
	return most;
}

/*
 * How long the program was kept waiting for a CPU: the most that one of its threads is known to have lost.  Those that have ended
 * cannot be asked any more, so what they said earlier is kept; while the last one is ending, nobody is listed and all is forgiven.
 */
static int64_t starved_us(struct run *r)
{
	char pids[4096];
	ssize_t n = cgroup_processes(&r->cgroup, pids, sizeof(pids));
	char *end;

	if (n == 0)
		return INT64_MAX / 2;
	for (char *p = pids; *p; p = end + (*end == '\n')) {
		int64_t delay;
		unsigned long pid = strtoul(p, &end, 10);

		if (end == p)
			break;
		delay = most_delayed_thread_us(pid);
		if (delay > r->starved_us)
			r->starved_us = delay;
	}
	return r->starved_us;
}

/* True when the program is dead already and only we were too late to see it. */
static int has_ended(const struct run *r)
{
	struct pollfd p = {.fd = r->pidfd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

/*
 * The wall limit is there for programs that sleep, not for machines that are busy: time for which the program was ready to run but
 * did not get a CPU is added to it, within reason.  Looked at only when the limit is reached, so it costs nothing otherwise.
 */
static int64_t stretched_wall_left(struct run *r, int64_t now)
{
	int64_t limit = (int64_t)r->rq->wall_time_us;
	int64_t allowed = limit + starved_us(r);

	return r->go_us + least(allowed, limit * STRETCH_MAX) - now;
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
	if (wall_left <= 0 && !r->killed)
		wall_left = has_ended(r) ? SAMPLE_US : stretched_wall_left(r, now);
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

int watch_oom(struct run *r, struct err *e)
{
	uint64_t kills;
	bool at_limit;

	if (cgroup_oom_kills(&r->cgroup, &kills, &at_limit, e) < 0)
		return -1;
	if (kills > 0 && at_limit)
		fire(r, SANDBOX__STATUS__MEMORY_LIMIT);
	else if (kills > 0) {
		run_explain(r, "the machine, not the program, ran out of memory");
		fire(r, SANDBOX__STATUS__SANDBOX_ERROR);
	}
	return 0;
}

int watch_output(struct run *r, struct output *o, struct err *e)
{
	int full = output_drain(o, &r->output_left, e);

	if (full == 1)
		fire(r, SANDBOX__STATUS__OUTPUT_LIMIT);
	return full < 0 ? -1 : 0;
}

/* execve failed: the child says so after "go", on the socket that exec would have closed. */
void watch_sync(struct run *r)
{
	struct jail_message m = {0};
	struct err e = {0};

	if (run_read_word(r, &m, &e) == 1 && m.word == JAIL_FAILED) {
		run_report(r)->exec_errno = m.err.num;
		run_explain(r, "%s", m.err.msg);
		if (!r->fired)
			r->fired = SANDBOX__STATUS__SANDBOX_ERROR;
	}
	(void)close(fd_steal(&r->sync));
}

int watch_init(struct run *r, struct err *e)
{
	static struct channel_frame f;
	Sandbox__Reply *ended = run_init_reply(r, &f, e);
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
	if (p[P_OOM].revents && watch_oom(r, e) < 0)
		return -1;
	if (p[P_SYNC].revents)
		watch_sync(r);
	if (p[P_OUT].revents && watch_output(r, &r->out, e) < 0)
		return -1;
	if (p[P_ERR].revents && watch_output(r, &r->err_out, e) < 0)
		return -1;
	if (p[P_SINK_OUT].revents)
		output_pump(&r->out);
	if (p[P_SINK_ERR].revents)
		output_pump(&r->err_out);
	if (p[P_END].revents)
		r->end_us = io_monotonic_us();
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

int watch_run(struct run *r, struct err *e)
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
