/* attack: expect=exited:0 layer=ids+pidns why=init is of another uid, or pid 1 of its namespace */
#include "attack.h"

/* Whatever these return, the run must end as if they had not been made: with this program's own status. */
int main(void)
{
	static const int signals[] = {SIGSTOP, SIGTSTP, SIGTERM, SIGCHLD, SIGUSR1, SIGHUP, SIGKILL};

	if (kill(atoi(given("VICTIM_PID")), 0) == 0)
		escaped("sees the host's processes");
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		kill(1, signals[i]);
		if (getppid() > 0)
			kill(getppid(), signals[i]);
	}
	usleep(100000);
	held();
}
