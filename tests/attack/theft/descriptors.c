/* attack: expect=exited:0 leak=1 layer=close why=every descriptor but 0, 1 and 2 is closed */
#include "attack.h"

/* run.py starts the sandbox with an open descriptor of a secret file. */
int main(void)
{
	for (int fd = 3; fd < 70000; fd++)
		if (fcntl(fd, F_GETFD) >= 0) {
			char path[64], link[256] = "";

			snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
			if (readlink(path, link, sizeof(link) - 1) < 0)
				link[0] = 0;
			escaped("descriptor %d is open: %s", fd, link);
		}
	held();
}
