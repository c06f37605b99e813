/* attack: expect=cpu_time_limit processes=8 layer=cpu_count why=CPU time of the cgroup: children that are born without a signal, and whom wait(2) does not show, are in it */
#include "attack.h"
#include <sched.h>

static char stacks[3][65536];

static int spin(void *unused)
{
	(void)unused;
	bounded(30);
	for (;;)
		;
	return 0;
}

int main(void)
{
	static const int flags[] = {0, CLONE_VM,
				    CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_UNTRACED};

	bounded(30);
	for (int i = 0; i < 3; i++)
		if (clone(spin, stacks[i] + sizeof(stacks[i]), flags[i], NULL) < 0)
			broken("clone");
	if (waitpid(-1, NULL, WNOHANG) >= 0)
		broken("wait sees them");
	for (;;)
		pause();
}
