/* attack: expect=exited:0 policy=network net=loopback layer=netns why=a loopback of the cell's own */
#include "attack.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

int main(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)atoi(given("TCP_PORT")))};
	struct sockaddr_in any = {.sin_family = AF_INET};
	socklen_t size = sizeof(any);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	bounded(10);
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	any.sin_addr = to.sin_addr;
	if (fd < 0 || listener < 0)
		broken("socket");
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		escaped("reached a server of the host");
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(listener, 1) < 0 ||
	    getsockname(listener, (struct sockaddr *)&any, &size) < 0)
		broken("listen");
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		broken("the cell's own loopback does not work");
	held();
}
