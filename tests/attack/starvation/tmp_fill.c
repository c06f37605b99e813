/* attack: expect=exited:0|memory_limit|output_limit memory=128M layer=box_size why=/tmp and /dev/shm are of limited size, and memory of the cell */
#include "attack.h"

int main(void)
{
	static char block[1 << 20];
	static const char *const files[] = {"/tmp/fill", "/dev/shm/fill"};
	int mb[2] = {0};

	memset(block, 1, sizeof(block));
	for (int i = 0; i < 2; i++) {
		int fd = open(files[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		for (; fd >= 0 && mb[i] < 512; mb[i]++)
			if (write(fd, block, sizeof(block)) < (ssize_t)sizeof(block))
				break;
	}
	unlink(files[0]);
	unlink(files[1]);
	if (mb[0] + mb[1] >= 512)
		escaped("%d MB in /tmp, %d MB in /dev/shm", mb[0], mb[1]);
	held();
}
