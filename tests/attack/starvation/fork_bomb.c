/* attack: expect=exited:0 processes=32 layer=pids why=pids limit of the cgroup */
#include "attack.h"

int main(void)
{
	int born = 0;

	while (born < 200) {
		pid_t pid = fork();

		if (pid == 0) {
			bounded(15);
			for (;;)
				pause();
		}
		if (pid < 0)
			break;
		born++;
	}
	if (born > 100)
		escaped("%d processes at once, of 32 allowed", born);
	if (born < 8)
		broken("fork failed too early for this limit");
	held();
}
