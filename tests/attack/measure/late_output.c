/* attack: expect=exited:0 processes=8 layer=kill why=the end of the program is the end of its output: what a child would write later is not of this run */
#include "attack.h"

/* The answer is found after the clock has stopped. */
int main(void)
{
	int ready[2];
	char byte;

	if (pipe(ready) < 0)
		broken("pipe");
	if (fork() == 0) {
		setsid();
		signal(SIGHUP, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		close(ready[0]);
		close(ready[1]);
		usleep(300000);
		escaped("the answer, too late");
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 0)
		broken("no child");
	held();
}
