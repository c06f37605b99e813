/*
 * clock.h - CPU time read exactly while it is being used.
 *
 * The kernel books a task's CPU time when its CPU changes tasks, and otherwise at ticks: what a cgroup says lags by up to a tick
 * for each CPU that its tasks are running on.  A keeper that goes before ordinary processes (cell_watch_first()) makes a CPU
 * change tasks by running there; so it visits the CPUs in question before it reads.  Where it has no priority nothing of this
 * is done, and limits are as exact as ticks are.
 *
 * A perf task clock needs no visits but counts other things: the time that a hypervisor or an interrupt took from the program.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <sched.h>

/* Longer than any tick: a run whose limit is further away than this on each of its CPUs need not be read exactly. */
#define CLOCK_TICK_US 10000

/* Afterwards all CPU time used until the call is booked, on every CPU that the caller may run on.  Some 10 us a CPU. */
void clock_settle(void);

/*
 * Keeps the caller on one CPU until clock_leave(): whenever it runs, nothing else does there, and all is booked.  *before is
 * where it might run until now; false if it stays where it likes.
 */
int clock_stay(int cpu, cpu_set_t *before);
void clock_leave(const cpu_set_t *before);

#endif
