/* attack: expect=exited:0 memory=32M time=3s layer=seccomp why=policy: no locks on ranges of files, each of which is 192 bytes of the kernel's that no cgroup counts */
#include "attack.h"

/* Every second byte of many files is locked for itself: 150 MB a second, in a cell of 32 MB, before the policy knew. */
int main(void)
{
	static const int kinds[] = {F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW};
	int made = 0;

	for (int file = 0; file < 200; file++) {
		char name[32];
		int fd;

		snprintf(name, sizeof(name), "locked%d", file);
		fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			broken(name);
		for (long at = 500; at > 0; at--) {
			struct flock one = {.l_type = F_WRLCK, .l_start = at * 2, .l_len = 1};

			made += fcntl(fd, kinds[file % 4], &one) == 0;
		}
	}
	if (made > 0)
		escaped("%d locks, %d kB that nobody counts", made, made * 192 / 1024);
	held();
}
