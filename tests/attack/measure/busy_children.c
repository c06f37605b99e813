/* attack: expect=cpu_time_limit processes=8 layer=cpu_count why=CPU time of the cgroup, whoever uses it */
#include "attack.h"

/* Children in sessions of their own use the processor; the parent only sleeps. */
int main(void)
{
	for (int i = 0; i < 2; i++)
		if (fork() == 0) {
			setsid();
			bounded(30);
			for (;;)
				;
		}
	bounded(30);
	for (;;)
		pause();
}
