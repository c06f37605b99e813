/* attack: expect=forbidden_syscall:mount processes=8 layer=seccomp why=a forbidden call ends the run, whoever makes it */
#include "attack.h"
#include <sys/mount.h>

/* A child in a session of its own makes the call while its parent ends in peace. */
int main(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		if (fork() == 0)
			mount("none", "/tmp", "tmpfs", 0, "");
		bounded(5);
		for (;;)
			pause();
	}
	bounded(10);
	for (;;)
		pause();
}
