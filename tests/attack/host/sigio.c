/* attack: expect=exited:0 layer=ids why=the owner of a descriptor gets its signals only from those who may send them: init has another uid */
#include "attack.h"
#include <sys/ioctl.h>

/* The kernel sends a signal of one's choice to the owner of a pipe: init, or the process group that a run shares with nobody. */
int main(void)
{
	int ends[2], victims[] = {1, -1, atoi(given("VICTIM_PID"))};

	if (kill(victims[2], 0) == 0)
		escaped("sees the host's processes");
	for (size_t i = 0; i < 3; i++) {
		if (pipe2(ends, O_NONBLOCK) < 0)
			broken("pipe");
		if (victims[i] == -1)
			signal(SIGURG, SIG_IGN);
		fcntl(ends[0], F_SETOWN, victims[i]);
		fcntl(ends[0], F_SETSIG, victims[i] == -1 ? SIGURG : SIGKILL);
		fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK);
		if (write(ends[1], "x", 1) != 1)
			broken("write");
	}
	usleep(50000);
	if (getppid() != 0 && kill(getppid(), 0) == 0)
		escaped("may send its parent signals");
	held(); /* and init, if it had died, would not see this end */
}
