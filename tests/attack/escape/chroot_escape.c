/* attack: expect=exited:0 layer=seccomp+caps+ids why=no CAP_SYS_CHROOT, and a root entered by pivot_root with the old one gone */
#include "attack.h"

/* The way out of a chroot: a second one below the current directory, then up from outside of it. */
int main(void)
{
	const char *canary = given("CANARY");
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (chroot("/usr") == 0) {
		if (fchdir(fd) < 0)
			broken("fchdir");
		for (int i = 0; i < 64; i++)
			if (chdir("..") < 0)
				break;
		if (chroot(".") < 0 || access(canary, F_OK) < 0)
			escaped("chroot, though not out of the root");
		escaped("out of the root");
	}
	for (int i = 0; i < 64; i++)
		if (chdir("..") < 0)
			break;
	if (access(canary, F_OK) == 0 || access(canary + 1, F_OK) == 0)
		escaped("the host's files are above the root");
	held();
}
