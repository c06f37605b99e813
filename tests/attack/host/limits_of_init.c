/* attack: expect=exited:0 layer=seccomp+ids why=the filter lets limits and priorities be changed of oneself only, and init has another uid */
#include "attack.h"
#include <sched.h>
#include <sys/resource.h>

/* In a warm cell what is done to init is done to the next run. */
int main(void)
{
	static const int limits[] = {RLIMIT_NOFILE, RLIMIT_FSIZE, RLIMIT_STACK, RLIMIT_CPU,
				     RLIMIT_DATA};
	struct rlimit none = {0, 0};
	struct sched_param idle = {0};
	cpu_set_t one;

	if (kill(atoi(given("VICTIM_PID")), 0) == 0)
		escaped("would reach the host");
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if (prlimit(1, (enum __rlimit_resource)limits[i], &none, NULL) == 0)
			escaped("changed limit %d of init", limits[i]);
	if (setpriority(PRIO_PROCESS, 1, 19) == 0)
		escaped("changed the priority of init");
	if (setpriority(PRIO_USER, 0, 19) == 0 && getpriority(PRIO_PROCESS, 1) == 19)
		escaped("changed the priority of all processes of init's user");
	if (sched_setscheduler(1, SCHED_IDLE, &idle) == 0 ||
	    sched_setaffinity(1, sizeof(one), &one) == 0)
		escaped("changed the scheduling of init");
	if (syscall(SYS_ioprio_set, 1, 1, 3 << 13) == 0)
		escaped("changed the io priority of init");
	held();
}
