/* attack: expect=exited:0 rounds=2 processes=16 layer=kill why=nothing that was started is alive when the next run begins */
#include "attack.h"
#include <dirent.h>
#include <sys/prctl.h>

/* Stopped, traced by nobody, deaf to signals, in a session of its own, waiting for a parent that will not come. */
static void stay(int how)
{
	sigset_t all;

	if (fork() != 0)
		return;
	setsid();
	prctl(PR_SET_NAME, "lingering");
	sigfillset(&all);
	sigdelset(&all, SIGALRM); /* its own bound */
	sigprocmask(SIG_SETMASK, &all, NULL);
	bounded(60);
	if (how == 1)
		raise(SIGSTOP);
	if (how == 2 && fork() != 0)
		_exit(0);
	if (how == 3 && vfork() == 0)
		pause();
	for (;;)
		pause();
}

int main(void)
{
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	if (!proc)
		broken("/proc");
	if (atoi(given("ROUND")) == 1) {
		for (int how = 0; how < 4; how++)
			stay(how);
		usleep(50000);
		held();
	}
	while ((entry = readdir(proc)))
		if (atoi(entry->d_name) > 1 && atoi(entry->d_name) != getpid())
			escaped("process %s is still there", entry->d_name);
	if (kill(-1, 0) == 0)
		escaped("somebody would get its signals");
	held();
}
