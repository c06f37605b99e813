/* attack: expect=exited:0 cpus=0.5 processes=8 time=5s layer=cpu_quota why=a run that is given half of a CPU leaves the other half to its neighbours */
#include "attack.h"
#include <time.h>

static double seconds(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) < 0)
		broken("clock_gettime");
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A machine that is busy gives less, never more. */
int main(void)
{
	double began = seconds(CLOCK_MONOTONIC), used, passed;

	do {
		used = seconds(CLOCK_PROCESS_CPUTIME_ID);
		passed = seconds(CLOCK_MONOTONIC) - began;
	} while (used < 1);
	if (used > 0.75 * passed)
		escaped("used %.2f s of %.2f s", used, passed);
	held();
}
