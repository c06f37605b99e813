/* attack: expect=exited:0|sandbox_error copyout=out memory=128M box=64M layer=copy_out why=what comes out is bounded by bytes copied, not by bytes in the box */
#include "attack.h"

/* 30 MB in the box under 400 names: 12 GB for who copies each of them. */
int main(void)
{
	static char block[1 << 20];
	char name[32];
	int fd;

	if (mkdir("out", 0777) < 0 ||
	    (fd = open("out/first", O_WRONLY | O_CREAT | O_CLOEXEC, 0666)) < 0)
		broken("out");
	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 30; i++)
		if (write(fd, block, sizeof(block)) < 0)
			broken("write");
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "out/again%d", i);
		if (link("out/first", name) < 0)
			broken("link");
	}
	held();
}
