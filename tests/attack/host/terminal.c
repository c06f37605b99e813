/* attack: expect=exited:0 terminal=1 layer=session+dev+devices+seccomp why=no terminal, and a filter for typing into one */
#include "attack.h"
#include <sys/ioctl.h>
#include <termios.h>

/* run.py starts the sandbox on a terminal of its own, and afterwards reads what was typed into it. */
int main(void)
{
	static const char *const names[] = {"/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2",
					    "/dev/tty",        "/dev/pts/0",      "/dev/console"};
	static const char typed[] = "reboot\n";

	for (int i = -3; i < (int)(sizeof(names) / sizeof(*names)); i++) {
		int fd = i < 0 ? i + 3 : open(names[i], O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
		char selection[] = {2, 0};

		for (const char *c = typed; fd >= 0 && *c; c++)
			if (ioctl(fd, TIOCSTI, c) == 0)
				escaped("typed into descriptor %d", fd);
		if (fd >= 0 && ioctl(fd, TIOCLINUX, selection) == 0)
			escaped("selected text of descriptor %d", fd);
		/* The upper half of the request is ignored by the kernel, not by a careless filter. */
		if (fd >= 0 && syscall(SYS_ioctl, fd, 0xffffffff00000000UL | TIOCSTI, typed) == 0)
			escaped("typed into descriptor %d past the filter", fd);
	}
	if (tcgetsid(0) > 0 || tcgetsid(2) > 0)
		escaped("has a controlling terminal");
	held();
}
