/* Checks of what makes times differ from run to run. */
#include <errno.h>
#include <glob.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/doctor_checks.h"
#include "sandbox/see.h"

#define CPUS      "/sys/devices/system/cpu/"
#define SAMPLE_MS 200

/* As cell_watch_first() does, and back. */
static void look_priority(struct doctor_finding *f)
{
	struct sched_param lowest = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};
	struct sched_param none = {0};

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &lowest) == 0) {
		(void)sched_setscheduler(0, SCHED_OTHER, &none);
		doctor_ok(f, "who watches limits may go before ordinary processes");
		return;
	}
	doctor_warn(f, "SCHED_FIFO: %s: CPU time is seen at ticks only", strerror(errno));
	doctor_mend(f, "run as root with CAP_SYS_NICE; in a cgroup v1 of the cpu controller with "
		       "cpu.rt_runtime_us above 0 where the kernel has CONFIG_RT_GROUP_SCHED");
}

static void look_turbo(struct doctor_finding *f)
{
	long long no_turbo = doctor_number(CPUS "intel_pstate/no_turbo");
	long long boost = doctor_number(CPUS "cpufreq/boost");

	if (no_turbo < 0 && boost < 0)
		doctor_ok(f, "no switch for it is visible here (usual in virtual machines)");
	else if (no_turbo > 0 || boost == 0)
		doctor_ok(f, "off");
	else {
		doctor_warn(f, "on: the same program is faster while other cores rest");
		doctor_mend(f, no_turbo >= 0 ? "echo 1 > " CPUS "intel_pstate/no_turbo"
					     : "echo 0 > " CPUS "cpufreq/boost");
	}
}

static void look_smt(struct doctor_finding *f)
{
	long long active = doctor_number(CPUS "smt/active");

	if (active <= 0) {
		doctor_ok(f, active < 0 ? "the kernel does not say" : "no two CPUs share a core");
		return;
	}
	doctor_warn(f, "active: two CPUs share a core, and a neighbour slows a program down");
	doctor_mend(f, "echo off > " CPUS "smt/control, or sandboxd --pin all");
}

static void look_governor(struct doctor_finding *f)
{
	glob_t paths;
	char name[64] = "";
	size_t other = 0;

	if (glob(CPUS "cpu[0-9]*/cpufreq/scaling_governor", 0, NULL, &paths) != 0) {
		doctor_ok(f, "no frequency scaling is visible here");
		return;
	}
	for (size_t i = 0; i < paths.gl_pathc; i++) {
		char text[64];

		if (strcmp(doctor_line(paths.gl_pathv[i], text, sizeof(text)), "performance") == 0)
			continue;
		other++;
		memcpy(name, text, sizeof(name));
	}
	if (other == 0)
		doctor_ok(f, "performance on all %zu CPUs", paths.gl_pathc);
	else {
		doctor_warn(f, "%s on %zu of %zu CPUs: the clock rises and falls with the load",
			    see_q(name), other, paths.gl_pathc);
		doctor_mend(f, "cpupower frequency-set -g performance");
	}
	globfree(&paths);
}

struct cpu_time {
	unsigned long long total, steal, idle;
};

/* The first line of /proc/stat: user nice system idle iowait irq softirq steal, in ticks. */
static int cpu_time_read(struct cpu_time *t)
{
	char text[512];
	char *p = text;

	*t = (struct cpu_time){0};
	if (strncmp(doctor_line("/proc/stat", text, sizeof(text)), "cpu ", 4) != 0)
		return -1;
	p += 4;
	for (int i = 0; i < 8; i++) {
		unsigned long long n = strtoull(p, &p, 10);

		t->total += n;
		t->idle += i == 3 || i == 4 ? n : 0;
		t->steal += i == 7 ? n : 0;
	}
	return 0;
}

static double share(unsigned long long part, unsigned long long all)
{
	return all > 0 ? 100.0 * (double)part / (double)all : 0;
}

static void look_steal(struct doctor_finding *f)
{
	const struct timespec nap = {.tv_nsec = SAMPLE_MS * 1000000L};
	struct cpu_time a;
	struct cpu_time b;

	if (cpu_time_read(&a) < 0 || nanosleep(&nap, NULL) < 0 || cpu_time_read(&b) < 0) {
		doctor_warn(f, "/proc/stat cannot be read");
		return;
	}
	double now = share(b.steal - a.steal, b.total - a.total);
	double ever = share(b.steal, b.total);

	if (now < 5 && ever < 1) {
		doctor_ok(f, "%.1f %% now, %.2f %% since boot", now, ever);
		return;
	}
	doctor_warn(f, "%.1f %% now, %.2f %% since boot: the host gives these CPUs to others", now,
		    ever);
	doctor_mend(f, "a virtual machine with dedicated CPUs");
}

static void look_load(struct doctor_finding *f)
{
	double load;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (getloadavg(&load, 1) != 1) {
		doctor_warn(f, "the load cannot be read");
		return;
	}
	doctor_ok(f, "load %.1f on %ld CPU%s", load, cpus, cpus == 1 ? "" : "s");
	if (load <= (double)cpus)
		return;
	doctor_warn(f, "load %.1f on %ld CPU%s: programs wait for each other", load, cpus,
		    cpus == 1 ? "" : "s");
	doctor_mend(f, "measure on a machine that does nothing else");
}

static void look_clock(struct doctor_finding *f)
{
	static const char *const good[] = {"tsc",
					   "kvm-clock",
					   "arch_sys_counter",
					   "hyperv_clocksource_tsc_page",
					   "riscv_clocksource",
					   "tod"};
	char name[64];

	doctor_line("/sys/devices/system/clocksource/clocksource0/current_clocksource", name,
		    sizeof(name));
	if (!*name) {
		doctor_ok(f, "the kernel does not say");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (strcmp(name, good[i]) == 0) {
			doctor_ok(f, "%s", name);
			return;
		}
	doctor_warn(f, "%s: reading the clock is a slow call", see_q(name));
	doctor_mend(f, "boot with clocksource=tsc if the CPU's counter is stable");
}

const struct doctor_check doctor_timing_checks[] = {
	{"timing", "priority", look_priority}, {"timing", "turbo", look_turbo},
	{"timing", "SMT", look_smt},           {"timing", "governor", look_governor},
	{"timing", "clock", look_clock},       {"timing", "steal", look_steal},
	{"timing", "load", look_load},         {NULL, NULL, NULL},
};
