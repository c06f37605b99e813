/* attack: expect=cpu_time_limit processes=8 layer=cpu_count why=CPU time of the cgroup includes those who have died */
#include "attack.h"
#include <time.h>

/* One short-lived child after another: none lives long enough to be noticed, together they never rest. */
int main(void)
{
	signal(SIGCHLD, SIG_IGN);
	bounded(30);
	for (;;) {
		pid_t pid = fork();

		if (pid == 0) {
			clock_t until = clock() + CLOCKS_PER_SEC / 500;

			while (clock() < until)
				;
			_exit(0);
		}
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
}
