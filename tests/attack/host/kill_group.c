/* attack: expect=signaled:9 layer=session why=a session of its own: a group reaches across pid namespaces */
#include "attack.h"

/* kill(0) goes to the whole process group, also to members that have no number in this namespace. */
int main(void)
{
	if (kill(atoi(given("VICTIM_PID")), 0) == 0)
		escaped("sees the host's processes");
	if (getpgrp() != getpid() || getsid(0) != getpid())
		escaped("is in a group or session with others");
	signal(SIGCONT, SIG_IGN);
	kill(0, SIGCONT);
	kill(0, SIGKILL);
	broken("kill(0, SIGKILL) returned");
}
