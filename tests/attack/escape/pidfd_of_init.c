/* attack: expect=exited:0|forbidden_syscall:pidfd_getfd|forbidden_syscall:setns each=signal,getfd,setns,wait layer=ids why=policy, and another uid: a handle of init gives no right to it */
#include "attack.h"
#include <sched.h>

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";
	int fd = (int)syscall(SYS_pidfd_open, 1, 0);
	siginfo_t info = {0};

	if (kill(atoi(given("VICTIM_PID")), 0) == 0)
		escaped("1 would be the host's own init");
	if (fd < 0)
		held();
	if (!strcmp(way, "signal") && syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) == 0)
		escaped("sent init a signal");
	for (int n = 0; !strcmp(way, "getfd") && n < 64; n++)
		if (syscall(SYS_pidfd_getfd, fd, n, 0) >= 0)
			escaped("has descriptor %d of init", n);
	if (!strcmp(way, "setns") && setns(fd, CLONE_NEWNET) == 0)
		escaped("is in a namespace by the handle of init");
	if (!strcmp(way, "wait") &&
	    waitid((idtype_t)3 /* P_PIDFD */, (id_t)fd, &info, WEXITED | WNOHANG) == 0)
		escaped("waits for init");
	held();
}
