/* attack: expect=exited:0|memory_limit memory=64M layer=memory why=memory limit counts what waits in sockets */
#include "attack.h"
#include <sys/socket.h>

int main(void)
{
	static char block[1 << 16];
	long total = 0;
	int pair[2], most = 8 << 20;

	while (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0) {
		ssize_t n;

		for (int end = 0; end < 2; end++) {
			setsockopt(pair[end], SOL_SOCKET, SO_SNDBUF, &most, sizeof(most));
			while ((n = write(pair[end], block, sizeof(block))) > 0)
				total += n;
		}
		if (total > 512L << 20)
			escaped("512 MB in sockets, of 64 MB allowed");
	}
	held();
}
