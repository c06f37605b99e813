/* How exactly a run is watched and measured, as far as that shows in counts and in order; the figures are bench_exact's. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/clock.h"
#include "sandbox/spec.h"
#include "tests/cell_fixture.h"

#define MS 1000ULL

/* CPU time that the kernel has booked for a process, ns: the first number of its schedstat. */
static unsigned long long booked(pid_t pid)
{
	char path[64];
	char text[96] = "";

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	cr_assert(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	return strtoull(text, NULL, 10);
}

static pid_t burner(int cpu)
{
	pid_t pid = fork();

	if (pid == 0) {
		cpu_set_t only;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		CPU_ZERO(&only);
		CPU_SET((size_t)cpu, &only);
		sched_setaffinity(0, sizeof(only), &only);
		for (;;)
			;
	}
	return pid;
}

/* How many of 200 looks at somebody who burns a CPU all the time find that more has been booked. */
static int looks_that_tell(pid_t pid)
{
	unsigned long long before = booked(pid);
	int told = 0;

	for (int i = 0; i < 200; i++) {
		clock_settle();
		unsigned long long now = booked(pid);

		told += now > before;
		before = now;
	}
	return told;
}

Test(exact, settling_books_what_runs, .timeout = 60)
{
	cpu_set_t own;
	cpu_set_t after;

	cr_assert_eq(sched_getaffinity(0, sizeof(own), &own), 0);
	if (!CPU_ISSET(0, &own) || !CPU_ISSET(1, &own))
		cr_skip_test("needs CPUs 0 and 1");
	cell_watch_first();
	if (sched_getscheduler(0) != (SCHED_FIFO | SCHED_RESET_ON_FORK))
		cr_skip_test("needs SCHED_FIFO");
	for (int cpu = 0; cpu < 2; cpu++) {
		pid_t pid = burner(cpu);
		int told = 0;

		/* On a busy machine it does not run all the time. */
		for (int i = 0; i < 200 && told < 50; i++) {
			(void)poll(NULL, 0, 10);
			told = looks_that_tell(pid);
		}
		cr_expect_geq(told, 50, "CPU %d: %d of 200 looks told anything", cpu, told);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	cr_assert_eq(sched_getaffinity(0, sizeof(after), &after), 0);
	cr_expect(CPU_EQUAL(&own, &after));
}

Test(exact, settling_without_priority_goes_nowhere)
{
	cpu_set_t before;
	cpu_set_t after;

	cr_expect_not(clock_stay(0, &before));
	clock_settle();
	cr_assert_eq(sched_getaffinity(0, sizeof(before), &before), 0);
	cr_assert_eq(sched_getaffinity(0, sizeof(after), &after), 0);
	cr_expect(CPU_EQUAL(&before, &after));
}

static Sandbox__Request python(char **argv, const char *script)
{
	Sandbox__Request rq = fixture_shell(argv, script);

	argv[0] = (char *)"/usr/bin/python3";
	rq.policy = (char *)"managed";
	return rq;
}

/* How many living processes the cell's first run has. */
static int living(const struct fixture *f)
{
	char text[4096];
	ssize_t len;
	int n = 0;
	AUTO_CLOSE int fd =
		openat(f->cgroups.trees[0].dir, "test/run-1/cgroup.procs", O_RDONLY | O_CLOEXEC);

	len = fd < 0 ? 0 : read(fd, text, sizeof(text));
	for (ssize_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

/* Waits until so many live: 0, or 1 when it takes too long. */
static int await_living(const struct fixture *f, int least, int most)
{
	for (int i = 0; i < 4000; i++) {
		int n = living(f);

		if (n >= least && n <= most)
			return 0;
		(void)poll(NULL, 0, 5);
	}
	return 1;
}

/* Init cannot do anything while they die: the keeper must have killed all of them. */
Test(exact, a_limit_kills_all_at_once, .timeout = 60)
{
	struct fixture f;
	struct answer a;
	char *argv[3];
	int status = -1;

	fixture_open(&f, NULL);
	Sandbox__Request rq =
		fixture_shell(argv, "for i in 1 2 3 4; do (while :; do :; done) & done; wait");

	rq.cpu_time_us = 500 * MS;
	pid_t pid = fork();

	if (pid == 0) {
		int late = await_living(&f, 5, 5);

		kill(f.cell.init_pid, SIGSTOP);
		late |= await_living(&f, 0, 0);
		kill(f.cell.init_pid, SIGCONT);
		_exit(late);
	}
	fixture_send(&f, &rq, "", &a);
	waitpid(pid, &status, 0);
	cr_expect_eq(status, 0, "somebody outlived the kill");
	cr_expect_eq(a.status, SANDBOX__STATUS__CPU_TIME_LIMIT, "%d %s", a.status, a.error);
	fixture_close(&f);
}

/* CPU time is the program's own, however many others want its CPU: neither verdict changes. */
Test(exact, neighbours_change_no_verdict, .timeout = 60)
{
	struct fixture f;
	struct answer a;
	char *argv[3];
	pid_t crowd[6];

	fixture_open(&f, NULL);
	for (size_t i = 0; i < ARRAY_LEN(crowd); i++)
		crowd[i] = burner(0);
	for (int enough = 0; enough < 2; enough++) {
		Sandbox__Request rq =
			python(argv, "import time\nwhile time.process_time() < .3: pass");

		rq.cpu_time_us = (enough ? 500 : 200) * MS;
		rq.wall_time_us = 50000 * MS;
		rq.pin_cpu = f.cgroups.controllers & 1U << CGROUP_CPUSET ? 1 : 0;
		fixture_send(&f, &rq, "", &a);
		cr_expect_eq(a.status,
			     enough ? SANDBOX__STATUS__EXITED : SANDBOX__STATUS__CPU_TIME_LIMIT,
			     "%d %s", a.status, a.error);
	}
	for (size_t i = 0; i < ARRAY_LEN(crowd); i++) {
		kill(crowd[i], SIGKILL);
		waitpid(crowd[i], NULL, 0);
	}
	fixture_close(&f);
}

static int by_start(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	return (x[0] > y[0]) - (x[0] < y[0]);
}

enum { CELLS = 3, RUNS = 4 };

/* A cell of its own process; says when each of its runs began and ended. */
static _Noreturn void run_in_turn(int out)
{
	static struct fixture f;
	static struct answer a;
	double when[2];
	char *argv[3];

	fixture_open(&f, NULL);
	CPU_ZERO(&f.cell.cpus);
	CPU_SET(0, &f.cell.cpus);
	f.cell.options.cpus = &f.cell.cpus;
	for (int i = 0; i < RUNS; i++) {
		Sandbox__Request rq = python(argv, "import time\nprint(time.monotonic())\n"
						   "time.sleep(.02)\nprint(time.monotonic())");

		fixture_send(&f, &rq, "", &a);
		if (sscanf(a.out, "%lf %lf", &when[0], &when[1]) != 2)
			when[0] = when[1] = 0;
		(void)!write(out, when, sizeof(when));
	}
	fixture_close(&f);
	_exit(0);
}

Test(exact, one_run_at_a_time_on_a_core, .timeout = 120)
{
	double when[CELLS * RUNS][2];
	int p[2];
	struct fixture f;

	fixture_open(&f, NULL); /* skips where there are no cells */
	if (!(f.cgroups.controllers & 1U << CGROUP_CPUSET)) {
		fixture_close(&f);
		cr_skip_test("no cpuset");
	}
	fixture_close(&f);
	cr_assert_eq(pipe(p), 0);
	for (int i = 0; i < CELLS; i++)
		if (fork() == 0)
			run_in_turn(p[1]);
	for (int i = 0; i < CELLS * RUNS; i++)
		cr_assert_eq(read(p[0], when[i], sizeof(when[i])), (ssize_t)sizeof(when[i]));
	while (wait(NULL) > 0)
		;
	qsort(when, CELLS * RUNS, sizeof(when[0]), by_start);
	for (int i = 0; i < CELLS * RUNS; i++) {
		cr_expect_gt(when[i][0], 0, "a run failed");
		if (i > 0)
			cr_expect_geq(when[i][0], when[i - 1][1], "%d began before %d had ended", i,
				      i - 1);
	}
}

Test(exact, cpus_that_runs_ask_for, .timeout = 60)
{
	static const char script[] = "import os\nprint(*os.sched_getaffinity(0))";
	struct fixture f;
	struct answer a;
	char *argv[3];

	fixture_open(&f, NULL);
	if (!(f.cgroups.controllers & 1U << CGROUP_CPUSET)) {
		Sandbox__Request rq = python(argv, script);

		rq.pin_cpu = -1;
		fixture_send(&f, &rq, "", &a);
		cr_expect_not_null(strstr(a.error, "cannot be enforced"), "%s", a.error);
		fixture_close(&f);
		return;
	}
	for (int pin = -1; pin <= 1; pin++) {
		Sandbox__Request rq = python(argv, script);

		rq.pin_cpu = pin;
		fixture_send(&f, &rq, "", &a);
		cr_expect_eq(a.status, SANDBOX__STATUS__EXITED, "%s", a.error);
		if (pin == 1)
			cr_expect_str_eq(a.out, "0\n");
		if (pin == -1)
			cr_expect_null(strchr(a.out, ' '), "'%s' is more than one", a.out);
	}
	/* Those that the cell may give away, and no other. */
	CPU_ZERO(&f.cell.cpus);
	CPU_SET(0, &f.cell.cpus);
	f.cell.options.cpus = &f.cell.cpus;
	Sandbox__Request rq = python(argv, script);

	fixture_send(&f, &rq, "", &a);
	cr_expect_str_eq(a.out, "0\n", "not asked for, but the cell's way: %s%s", a.out, a.error);
	rq = python(argv, script);
	rq.pin_cpu = 2;
	if (sysconf(_SC_NPROCESSORS_CONF) > 1) {
		fixture_send(&f, &rq, "", &a);
		cr_expect_str_eq(a.error, "pin_cpu: CPU 1 is not one of those that runs may have");
		rq = python(argv, script);
		rq.pin_cpu = SPEC_PIN_NONE;
		fixture_send(&f, &rq, "", &a);
		cr_expect_not_null(strchr(a.out, ' '), "'%s' is one CPU only: %s", a.out, a.error);
	}
	fixture_close(&f);
}
