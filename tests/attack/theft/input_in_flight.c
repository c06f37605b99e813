/* attack: expect=exited:0 rounds=2 policy=network layer=fresh_net why=a descriptor in flight outlives its process, and test data with it: the socket that it waits in must be out of reach */
#include "attack.h"
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

/* The first round leaves its input in the queue of a named socket, which holds itself; the second one fetches it. */
static const struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0gavel-attack-post"};
static const socklen_t size = offsetof(struct sockaddr_un, sun_path) + 18;

static void post(int to, const int *fds, size_t n)
{
	char control[CMSG_SPACE(2 * sizeof(int))] = {0}, byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = CMSG_SPACE(n * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	if (sendmsg(to, &msg, 0) < 0)
		broken("sendmsg");
}

int main(void)
{
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0),
	    pair[2];
	char text[64];

	bounded(20);
	if (atoi(given("ROUND")) == 1) {
		if (bind(listener, (const struct sockaddr *)&name, size) < 0 ||
		    listen(listener, 5) < 0 ||
		    connect(client, (const struct sockaddr *)&name, size) < 0 ||
		    socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
			broken("listen");
		post(client, (int[]){0}, 1);
		post(pair[0], (int[]){listener, pair[1]}, 2);
		held();
	}
	for (int turn = 0; turn < 20; turn++) {
		if (connect(client, (const struct sockaddr *)&name, size) == 0)
			escaped("the post office of the first round is open");
		if (bind(listener, (const struct sockaddr *)&name, size) < 0 && errno == EADDRINUSE)
			escaped("the name of the first round is taken");
		close(listener);
		listener = socket(AF_UNIX, SOCK_STREAM, 0);
		usleep(1000);
	}
	if (read(0, text, sizeof(text)) <= 0)
		broken("no input of its own");
	held();
}
