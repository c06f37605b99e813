/* attack: expect=exited:0 leak=1 layer=signals why=signals as a program expects to find them */
#include "attack.h"

/* run.py starts the sandbox with signals ignored and blocked: a program that inherits that behaves otherwise than at home. */
int main(void)
{
	sigset_t blocked;

	if (sigprocmask(SIG_SETMASK, NULL, &blocked) < 0)
		broken("sigprocmask");
	for (int sig = 1; sig < SIGRTMAX; sig++) {
		struct sigaction action;

		if (sigaction(sig, NULL, &action) < 0)
			continue;
		if (action.sa_handler != SIG_DFL)
			escaped("signal %d is not handled by default", sig);
		if (sigismember(&blocked, sig) == 1)
			escaped("signal %d is blocked", sig);
	}
	held();
}
