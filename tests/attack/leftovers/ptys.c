/* attack: expect=exited:0 rounds=2 layer=dev why=no terminals in /dev, whose numbers would count the runs */
#include "attack.h"
#include <sys/ioctl.h>

int main(void)
{
	static const char *const names[] = {"/dev/ptmx",  "/dev/pts/ptmx", "/dev/pts/0",
					    "/dev/pts/1", "/dev/tty",      "/dev/tty0"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		int number = -1, fd = open(names[i], O_RDWR | O_NOCTTY | O_CLOEXEC);

		if (fd >= 0 && ioctl(fd, TIOCGPTN, &number) == 0)
			escaped("has terminal %d", number);
		if (fd >= 0)
			escaped("opened %s", names[i]);
	}
	held();
}
