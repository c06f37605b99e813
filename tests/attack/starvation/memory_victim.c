/* attack: expect=memory_limit memory=64M processes=8 layer=oom_group why=an oom kill in the cell is a memory limit, whoever died */
#include "attack.h"

/* Only a child dies, offered to the kernel as the one to kill; the parent ends as if nothing had happened. */
int main(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

		if (fd >= 0 && write(fd, "1000", 4) < 0)
			close(fd);
		for (int mb = 0; mb < 1024; mb++)
			take_memory(1 << 20);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) < 0)
		broken("fork");
	held();
}
