/* attack: expect=exited:0|cpu_time_limit|memory_limit policy=network net=bridge processes=8 time=2s layer=filter why=a cell that sends all it can is slowed down, and counts nothing in the host's table of connections */
#include "attack.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Datagrams from ten thousand ports to every address: entries for whoever follows connections. */
int main(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	long sent = 0;

	bounded(10);
	for (int turn = 0; turn < 20000; turn++) {
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		char address[32];

		if (fd < 0)
			break;
		snprintf(address, sizeof(address), "%s.%d", given("HOST_SUBNET"), 1 + turn % 14);
		to.sin_addr.s_addr = inet_addr(turn % 7 ? address : "8.8.8.8");
		to.sin_port = htons((uint16_t)(1024 + turn));
		sent += sendto(fd, "flood", 5, 0, (struct sockaddr *)&to, sizeof(to)) == 5;
		close(fd);
	}
	if (sent == 0)
		broken("nothing was sent");
	held();
}
