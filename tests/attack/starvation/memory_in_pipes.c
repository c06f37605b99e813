/* attack: expect=memory_limit|exited:0 memory=64M layer=memory why=memory limit counts the kernel's buffers */
#include "attack.h"

int main(void)
{
	static char block[1 << 20];
	long total = 0;

	for (int turn = 0; turn < 20000; turn++) {
		int ends[2];
		ssize_t n;

		if (pipe2(ends, O_NONBLOCK) < 0)
			break;
		fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
		while ((n = write(ends[1], block, sizeof(block))) > 0)
			total += n;
		if (total > 512L << 20)
			escaped("512 MB in pipes, of 64 MB allowed");
	}
	held();
}
