/* attack: expect=exited:0|memory_limit processes=16 memory=256M layer=rlimits why=limit of open files, of each process and in flight */
#include "attack.h"
#include <sys/socket.h>

/* A descriptor passed over a socket and not received yet is open, and counts for nobody's table. */
static int send_one(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {0}, byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(socket, &msg, MSG_DONTWAIT) < 0 ? -1 : 0;
}

int main(void)
{
	int held_open = 0, in_flight = 0, pair[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0)
		broken("socketpair");
	for (int turn = 0; turn < 200000 && in_flight < 200000; turn++) {
		int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		if (fd < 0 || send_one(pair[0], fd) < 0) {
			int more[2];

			/* This socket is full: go on with another, the full one stays open. */
			if (fd >= 0)
				close(fd);
			if (fd < 0 || socketpair(AF_UNIX, SOCK_DGRAM, 0, more) < 0)
				break;
			memcpy(pair, more, sizeof(pair));
			continue;
		}
		in_flight++;
		close(fd);
	}
	while (held_open < 200000 && dup(0) >= 0)
		held_open++;
	if (held_open + in_flight > 100000)
		escaped("%d descriptors open and %d in flight", held_open, in_flight);
	held();
}
