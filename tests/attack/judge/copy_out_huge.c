/* attack: expect=exited:0|sandbox_error copyout=out layer=copy_out why=size limit of what comes out */
#include "attack.h"

/* A file with a gap of 300 MB: nothing in the box, as much as it says for who copies it. */
int main(void)
{
	int fd = open("out", O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0 || ftruncate(fd, 300L << 20) < 0)
		broken("ftruncate");
	held();
}
