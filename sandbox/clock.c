#include "sandbox/clock.h"

/* Without it a visitor would wait for its turn, like anybody else. */
static int goes_first(void)
{
	return (sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) == SCHED_FIFO;
}

static int go_to(int cpu)
{
	cpu_set_t only;

	CPU_ZERO(&only);
	CPU_SET((size_t)cpu, &only);
	return sched_setaffinity(0, sizeof(only), &only);
}

void clock_settle(void)
{
	cpu_set_t own;

	if (!goes_first() || sched_getaffinity(0, sizeof(own), &own) < 0 || CPU_COUNT(&own) < 2)
		return;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((size_t)cpu, &own))
			(void)go_to(cpu);
	(void)sched_setaffinity(0, sizeof(own), &own);
}

int clock_stay(int cpu, cpu_set_t *before)
{
	return goes_first() && sched_getaffinity(0, sizeof(*before), before) == 0 &&
	       go_to(cpu) == 0;
}

void clock_leave(const cpu_set_t *before)
{
	(void)sched_setaffinity(0, sizeof(*before), before);
}
