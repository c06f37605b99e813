/* attack: expect=exited:0 rounds=2 processes=16 layer=fresh_pids why=the counter of processes is set back: no run can count those before it, or tell the next one a number */
#include "attack.h"

int main(void)
{
	pid_t child;

	if (getpid() != 2)
		escaped("is process %d", getpid());
	child = fork();
	if (child == 0)
		_exit(0);
	if (child != 3)
		escaped("its child is process %d", child);
	waitpid(child, NULL, 0);
	for (int i = 0; i < 100; i++) { /* more than any two runs need by themselves */
		child = fork();
		if (child == 0)
			_exit(0);
		waitpid(child, NULL, 0);
	}
	held();
}
