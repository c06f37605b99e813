/* attack: expect=exited:0 time=5s layer=pidns why=pid namespace */
#include "attack.h"

/* Asks for every pid it can name; of those outside it hurts only the one that run.py started for this. */
int main(void)
{
	pid_t victim = atoi(given("VICTIM_PID"));
	int seen = 0;

	if (kill(victim, SIGSTOP) == 0 || kill(victim, SIGKILL) == 0)
		escaped("killed process %d of the host", victim);
	for (pid_t pid = 2; pid < (1 << 19); pid++) {
		if (pid == getpid() || (kill(pid, 0) < 0 && errno == ESRCH))
			continue;
		if (++seen > 2)
			escaped("sees process %d", pid);
	}
	held();
}
