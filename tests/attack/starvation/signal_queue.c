/* attack: expect=exited:0 layer=rlimits why=pending signals are limited, each is memory of the kernel's */
#include "attack.h"

/* Real-time signals that are blocked wait in a queue. */
int main(void)
{
	sigset_t all;
	int queued = 0;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	while (queued < 100000 && sigqueue(getpid(), SIGRTMIN, (union sigval){queued}) == 0)
		queued++;
	if (queued == 0)
		broken("sigqueue");
	if (queued > 2000)
		escaped("%d signals wait", queued);
	held();
}
