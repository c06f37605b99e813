/* attack: expect=exited:0|output_limit memory=512M box=16M layer=box_size why=size of the box */
#include "attack.h"

int main(void)
{
	static char block[1 << 20];
	int mb = 0, fd = open("fill", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		broken("the box is not writable");
	for (memset(block, 1, sizeof(block)); mb < 256; mb++)
		if (write(fd, block, sizeof(block)) < (ssize_t)sizeof(block))
			break;
	unlink("fill");
	if (mb >= 20)
		escaped("%d MB written, of 16 MB allowed", mb);
	held();
}
