#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/clock.h"
#include "sandbox/run_parts.h"

#define STRETCH_MAX 10   /* how many times the wall limit a starved program may have */
#define NEAR_US     100  /* the shortest sleep: looking more often costs more than it tells */
#define AWAIT_US    1000 /* until a child that was given its request is looked at again */
#define QUIET_US    500  /* the longest one near a limit, for each CPU that is visited */
#define PINNED_US   250  /* and where a look is cheap */
#define BRANCH_US   1000 /* the longest while more threads could make it too long */
#define FIRST_US    1000 /* until memory is looked at first */

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* How many CPUs so many threads of the run can be burning at once. */
static int64_t width(const struct run *r, uint64_t threads)
{
	int64_t cpus = r->cgroup.limits.cpu >= 0 ? 1 : r->cell->online;

	return most(least(cpus, (int64_t)threads), 1);
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
	int64_t longest = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%lu/task", pid);
	d = opendir(path);
	for (struct dirent *entry; d && (entry = readdir(d));) {
		int64_t delay;

		if (snprintf(path, sizeof(path), "/proc/%lu/task/%.20s/schedstat", pid,
			     entry->d_name) >= (int)sizeof(path))
			continue;
		delay = entry->d_name[0] == '.' ? 0 : read_delay_us(path);
		longest = most(longest, delay);
	}
	if (d)
		closedir(d);
	return longest;
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
		unsigned long pid = strtoul(p, &end, 10);

		if (end == p)
			break;
		r->starved_us = most(r->starved_us, most_delayed_thread_us(pid));
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

static int read_cpu_left(const struct run *r, int64_t *left_us, struct err *e)
{
	uint64_t used;

	if (cgroup_cpu_usage_us(&r->cgroup, &used, e) < 0)
		return -1;
	*left_us = (int64_t)r->rq->cpu_time_us - (int64_t)(used - r->cpu_base_us);
	return 0;
}

/* A program that does not use its last bit of time, or does not get a CPU for it, is looked at less often. */
static int64_t nap_us(struct run *r, int64_t left_us)
{
	int64_t nap = left_us == r->left_us ? 2 * r->nap_us : 0;
	int64_t longest = r->stays ? PINNED_US : QUIET_US * r->cell->online;

	r->nap_us = least(most(nap, NEAR_US), longest);
	r->left_us = left_us;
	return r->nap_us;
}

/* How long what is left must last on so many CPUs; not long if threads that are not there yet could use more of them. */
static int64_t lasts_us(const struct run *r, int64_t left_us, int64_t lag_us, int64_t cpus)
{
	int64_t widest = width(r, r->rq->processes);
	int64_t lasts = (left_us - lag_us) / cpus;

	if (cpus == widest)
		return lasts;
	return least(lasts, most(left_us / widest - CLOCK_TICK_US, BRANCH_US));
}

/*
 * Looks at CPU time, exactly once the limit is near, and notes when it could be reached at the earliest.  Not before then: a program
 * that wakes us with its output must not make us visit its CPUs each time.
 */
static int check_cpu(struct run *r, int64_t now, struct err *e)
{
	uint64_t threads;
	int64_t left;

	if (now < r->cpu_due_us || r->killed)
		return 0;
	if (cgroup_threads(&r->cgroup, &threads, e) < 0 || read_cpu_left(r, &left, e) < 0)
		return -1;
	int64_t cpus = width(r, threads);
	int64_t lag = r->stays ? 0 : cpus * CLOCK_TICK_US;

	if (left >= 0 && left <= lag) {
		clock_settle();
		lag = 0;
		if (read_cpu_left(r, &left, e) < 0)
			return -1;
	}
	r->cpu_due_us = now + most(lasts_us(r, left, lag, cpus), nap_us(r, left));
	if (left < 0)
		watch_fire(r, SANDBOX__STATUS__CPU_TIME_LIMIT);
	return 0;
}

/* Before the program has started no limit of its own counts. */
static int64_t await_start(const struct run *r, struct err *e)
{
	if (io_monotonic_us() - r->go_us > PARK_MS * 1000LL)
		return err_set(e, "the jail did not start the program within %d s", PARK_MS / 1000);
	return AWAIT_US;
}

/* Looks at memory: soon at first, because many programs are short, and then ever less often. */
static int sample(struct run *r, int64_t now, struct err *e)
{
	r->sample_us = most(r->sample_us, FIRST_US);
	if (now - r->sampled_us < r->sample_us)
		return 0;
	r->sampled_us = now;
	r->sample_us = least(2 * r->sample_us, RUN_SAMPLE_US);
	return cgroup_sample(&r->cgroup, e);
}

int64_t deadline_next_us(struct run *r, struct err *e)
{
	if (!r->started)
		watch_sync(r);
	if (!r->started)
		return await_start(r, e);
	int64_t now = io_monotonic_us();
	int64_t wall_left = r->go_us + (int64_t)r->rq->wall_time_us - now;

	if (check_cpu(r, now, e) < 0)
		return -1;
	if (wall_left <= 0 && !r->killed)
		wall_left = has_ended(r) ? RUN_SAMPLE_US : stretched_wall_left(r, now);
	if (wall_left <= 0)
		watch_fire(r, SANDBOX__STATUS__WALL_TIME_LIMIT);
	if (sample(r, now, e) < 0)
		return -1;
	if (r->killed)
		return RUN_SAMPLE_US;
	return least(least(r->cpu_due_us - now, wall_left), r->sample_us);
}
