/* attack: expect=wall_time_limit wall=2s layer=wall_time why=wall limit, and SIGKILL: everything else is ignored */
#include "attack.h"

int main(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int i = 0; i < 60; i++)
		sleep(1);
	held();
}
