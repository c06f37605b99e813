/* attack: expect=exited:0 layer=pidns why=pid namespace: -1 means the cell, and init has another uid */
#include "attack.h"

int main(void)
{
	/* On a host without a sandbox this must not be tried. */
	if (kill(atoi(given("VICTIM_PID")), 0) == 0 || errno != ESRCH)
		escaped("kill(-1) would reach the host");
	kill(-1, SIGSTOP);
	kill(-1, SIGKILL);
	kill(-1, SIGCONT);
	held();
}
