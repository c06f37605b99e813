/* attack: expect=exited:0 policy=network net=bridge processes=8 time=3s layer=filter why=a private network has no way to its host but the services that its rule names */
#include "attack.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

/* Starts a connection; the descriptor, or -1. */
static int knock(const char *address, int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		broken("socket");
	inet_pton(AF_INET, address, &to.sin_addr);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 || errno == EINPROGRESS)
		return fd;
	close(fd);
	return -1;
}

/* The host's server listens on all addresses that the host has; it also tells run.py who came. */
int main(void)
{
	const char *subnet = given("HOST_SUBNET");
	int port = atoi(given("TCP_PORT")), on = 1,
	    udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	static const char *const named[] = {"127.0.0.1",       "192.0.2.77",      "192.0.2.1",
					    "169.254.169.254", "10.0.0.1",        "172.17.0.1",
					    "224.0.0.1",       "255.255.255.255", "0.0.0.0"};
	struct pollfd doors[64];
	char addresses[64][32];
	int n = 0;

	bounded(20);
	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++)
		snprintf(addresses[n++], sizeof(addresses[0]), "%s", named[i]);
	for (int host = 0; host < 16; host++)
		snprintf(addresses[n++], sizeof(addresses[0]), "%s.%d", subnet, host);
	setsockopt(udp, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	for (int i = 0; i < n; i++) {
		struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

		doors[i] = (struct pollfd){.fd = knock(addresses[i], port), .events = POLLOUT};
		inet_pton(AF_INET, addresses[i], &to.sin_addr);
		sendto(udp, "knock", 5, 0, (struct sockaddr *)&to, sizeof(to));
	}
	for (int waited = 0; waited < 8; waited++) {
		poll(doors, (nfds_t)n, 100);
		for (int i = 0; i < n; i++) {
			int error = 1;
			socklen_t size = sizeof(error);

			if (doors[i].fd < 0 || !(doors[i].revents & POLLOUT))
				continue;
			if (getsockopt(doors[i].fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
			    error == 0)
				escaped("reached %s", addresses[i]);
			doors[i].fd = -1;
		}
	}
	held();
}
