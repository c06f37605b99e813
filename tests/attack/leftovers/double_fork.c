/* attack: expect=exited:0 processes=8 layer=kill+pidns why=pid namespace and cgroup, which sessions do not leave */
#include "attack.h"

/* A daemon that ignores signals and keeps stdout open: whoever waits for its end of file waits for ever. */
int main(void)
{
	int ready[2];
	char byte;

	if (pipe(ready) < 0)
		broken("pipe");
	if (fork() == 0) {
		setsid();
		if (fork() == 0) {
			for (int sig = 1; sig < 65; sig++)
				signal(sig, SIG_IGN);
			bounded(30);
			signal(SIGHUP, SIG_IGN);
			if (write(ready[1], "", 1) != 1)
				_exit(1);
			for (;;)
				pause();
		}
		_exit(0);
	}
	if (read(ready[0], &byte, 1) != 1)
		broken("no daemon");
	held();
}
