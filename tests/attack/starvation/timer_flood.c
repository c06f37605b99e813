/* attack: expect=exited:0|memory_limit layer=rlimits why=each timer holds one of the user's pending signals, which are limited */
#include "attack.h"
#include <time.h>

/* Timers that fire at the same moment, in interrupt context, which no limit of CPU time sees. */
int main(void)
{
	struct itimerspec soon = {.it_value = {.tv_sec = 3600},
				  .it_interval = {.tv_nsec = 1000000}};
	struct sigevent silent = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGURG};
	int made = 0;
	timer_t id;

	while (made < 20000 && timer_create(CLOCK_MONOTONIC, &silent, &id) == 0) {
		if (timer_settime(id, 0, &soon, NULL) < 0)
			broken("timer_settime");
		made++;
	}
	if (made == 0)
		broken("timer_create");
	if (made > 2000)
		escaped("%d timers", made);
	held();
}
