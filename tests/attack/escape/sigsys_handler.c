/* attack: expect=forbidden_syscall:bpf layer=seccomp why=a forbidden call ends the run, whatever is done about SIGSYS */
#include "attack.h"

static void go_on(int sig)
{
	(void)sig;
}

int main(void)
{
	sigset_t set;

	signal(SIGSYS, go_on);
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	syscall(SYS_bpf, 0, 0, 0);
	escaped("went on after a forbidden call");
}
