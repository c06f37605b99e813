/* attack: expect=cpu_time_limit processes=8 layer=cpu_count why=CPU time of the cgroup: a process that is stopped whenever somebody looks has used what it has used */
#include "attack.h"

/* One of them keeps time and lets the workers go on for moments only, and never all at once. */
int main(void)
{
	pid_t workers[3];

	bounded(60);
	for (int i = 0; i < 3; i++) {
		workers[i] = fork();
		if (workers[i] == 0) {
			bounded(60);
			for (;;)
				;
		}
		kill(workers[i], SIGSTOP);
	}
	for (int turn = 0;; turn++) {
		kill(workers[turn % 3], SIGCONT);
		usleep(3000);
		kill(workers[turn % 3], SIGSTOP);
	}
}
