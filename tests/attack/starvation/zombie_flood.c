/* attack: expect=exited:0 processes=16 layer=pids why=pids limit counts the dead whom nobody has buried */
#include "attack.h"

int main(void)
{
	int dead = 0;

	for (int i = 0; i < 5000; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid < 0)
			break;
		dead++;
	}
	if (dead > 15)
		escaped("%d zombies of 15 allowed", dead);
	held();
}
