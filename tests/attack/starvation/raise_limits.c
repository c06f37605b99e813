/* attack: expect=exited:0 layer=rlimits why=hard rlimits without CAP_SYS_RESOURCE */
#include "attack.h"
#include <sched.h>
#include <sys/resource.h>

int main(void)
{
	static const int limits[] = {RLIMIT_NOFILE, RLIMIT_CORE, RLIMIT_MSGQUEUE, RLIMIT_RTPRIO};
	struct sched_param high = {.sched_priority = 1};

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		struct rlimit old, more;

		if (getrlimit(limits[i], &old) < 0)
			broken("getrlimit");
		more = (struct rlimit){old.rlim_max + 1, old.rlim_max + 1};
		if (old.rlim_max == RLIM_INFINITY)
			escaped("rlimit %d has no hard limit", limits[i]);
		if (setrlimit(limits[i], &more) == 0)
			escaped("raised rlimit %d above %lu", limits[i],
				(unsigned long)old.rlim_max);
	}
	if (setpriority(PRIO_PROCESS, 0, -20) == 0)
		escaped("nice -20");
	if (sched_setscheduler(0, SCHED_FIFO, &high) == 0)
		escaped("real-time scheduling");
	held();
}
