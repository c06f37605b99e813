/* attack: expect=exited:0 layer=seccomp why=policy: one file may be flushed, the disks of the machine may not */
#include "attack.h"

int main(void)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		broken("open");
	if (syncfs(fd) == 0)
		escaped("flushed a file system");
	errno = 0;
	if (syscall(SYS_sync) == 0)
		escaped("flushed all disks");
	held();
}
