/* attack: expect=wall_time_limit wall=2s processes=8 layer=wall_time why=wall limit: a parent waits for children that are stopped for good */
#include "attack.h"

int main(void)
{
	bounded(60);
	for (int i = 0; i < 4; i++)
		if (fork() == 0) {
			bounded(60);
			raise(SIGSTOP);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	held();
}
