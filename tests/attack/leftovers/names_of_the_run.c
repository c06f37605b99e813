/* attack: expect=exited:0 rounds=2 layer=utsns+caps+seccomp why=host name, root, umask, limits and priority are what every run starts with */
#include "attack.h"
#include <sys/resource.h>
#include <sys/utsname.h>

int main(void)
{
	struct rlimit files, size;
	struct utsname name;
	sigset_t blocked;

	if (uname(&name) < 0 || getrlimit(RLIMIT_NOFILE, &files) < 0 ||
	    getrlimit(RLIMIT_FSIZE, &size) < 0)
		broken("uname");
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	if (strcmp(name.nodename, "gavel") || strcmp(name.domainname, "") || umask(0) != 022 ||
	    files.rlim_cur < 16 || size.rlim_cur != RLIM_INFINITY ||
	    getpriority(PRIO_PROCESS, 0) != 0 || sigismember(&blocked, SIGTERM) ||
	    signal(SIGCHLD, SIG_IGN) != SIG_DFL)
		escaped("%s %s %lu files, nice %d", name.nodename, name.domainname,
			(unsigned long)files.rlim_cur, getpriority(PRIO_PROCESS, 0));
	umask(0777);
	files = (struct rlimit){4, 4};
	size = (struct rlimit){0, 0};
	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_FSIZE, &size);
	setpriority(PRIO_PROCESS, 0, 19);
	sigfillset(&blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	prlimit(getppid(), RLIMIT_NOFILE, &files, NULL);
	setpriority(PRIO_PROCESS, getppid(), 19);
	held();
}
