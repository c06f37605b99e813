/* attack: expect=exited:0 policy=network net=bridge groups=red,blue beside=2 processes=8 time=5s layer=filter why=cells of different groups do not reach each other, by any address */
#include "attack.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Both serve on all addresses and on all ways to reach more than one, and knock at every address of the subnet. */
int main(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(7001)};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	int udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct ip_mreq all = {.imr_multiaddr.s_addr = inet_addr("239.1.2.3")};
	struct sockaddr_in self = {.sin_family = AF_INET}, peer;
	socklen_t size = sizeof(self);
	char text[64];

	bounded(20);
	setsockopt(udp, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	setsockopt(udp, IPPROTO_IP, IP_ADD_MEMBERSHIP, &all, sizeof(all));
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(listener, 50) < 0 ||
	    bind(udp, (struct sockaddr *)&any, sizeof(any)) < 0)
		broken("listen");
	for (int turn = 0; turn < 30; turn++) {
		for (int host = 0; host < 18; host++) {
			struct sockaddr_in to = any;
			int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
			char address[32];

			snprintf(address, sizeof(address), "%s.%d", given("HOST_SUBNET"), host);
			to.sin_addr.s_addr = host == 16   ? all.imr_multiaddr.s_addr
					     : host == 17 ? INADDR_BROADCAST
							  : inet_addr(address);
			sendto(udp, "letter", 6, 0, (struct sockaddr *)&to, sizeof(to));
			if (turn % 5 == 0)
				connect(fd, (struct sockaddr *)&to, sizeof(to));
			if (turn % 5 || host > 15)
				close(fd);
		}
		usleep(30000);
		size = sizeof(peer);
		int fd = accept(listener, (struct sockaddr *)&peer, &size);
		socklen_t own = sizeof(self);

		/* It reaches itself, of course. */
		if (fd >= 0 && getsockname(fd, (struct sockaddr *)&self, &own) == 0 &&
		    self.sin_addr.s_addr != peer.sin_addr.s_addr)
			escaped("a connection from %s", inet_ntoa(peer.sin_addr));
		if (fd >= 0)
			close(fd);
		size = sizeof(peer);
		while (recvfrom(udp, text, sizeof(text), 0, (struct sockaddr *)&peer, &size) > 0) {
			int back = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

			own = sizeof(self);
			if (connect(back, (struct sockaddr *)&peer, sizeof(peer)) == 0 &&
			    getsockname(back, (struct sockaddr *)&self, &own) == 0 &&
			    self.sin_addr.s_addr != peer.sin_addr.s_addr)
				escaped("a letter from %s", inet_ntoa(peer.sin_addr));
			close(back);
		}
	}
	held();
}
