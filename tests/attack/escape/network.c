/* attack: expect=exited:0 each=native,network policy={} layer=netns,seccomp why=a network namespace without interfaces; with native also the filter */
#include "attack.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

/* Whether a TCP connection comes about within a second. */
static int reaches(const char *address, int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int error = 0, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(error);
	struct pollfd poller = {.fd = fd, .events = POLLOUT};

	inet_pton(AF_INET, address, &to.sin_addr);
	if (fd < 0)
		return 0;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		return 0;
	if (poll(&poller, 1, 500) != 1)
		return 0;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && !error;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(53)};
	int fd;

	bounded(20);
	if (reaches("127.0.0.1", atoi(given("TCP_PORT"))))
		escaped("reached the host's loopback");
	if (reaches("192.0.2.1", 80) || reaches("1.1.1.1", 443))
		escaped("reached the network");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (argc > 1 && !strcmp(argv[1], "native") && fd >= 0)
		escaped("made a socket");
	inet_pton(AF_INET, "192.0.2.1", &to.sin_addr);
	if (fd >= 0 && sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1)
		escaped("sent a datagram");
	if (fd >= 0 && if_nametoindex("eth0") + if_nametoindex("ens3") > 0)
		escaped("sees the host's interfaces");
	held();
}
