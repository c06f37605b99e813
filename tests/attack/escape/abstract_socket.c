/* attack: expect=exited:0 each=native,network policy={} layer=netns why=network namespace, which names of unix sockets belong to */
#include "attack.h"
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

/* A server of the host, named without a file. */
int main(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const char *name = given("ABSTRACT");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(to.sun_path + 1, name, strlen(name));
	if (fd >= 0 &&
	    connect(fd, (struct sockaddr *)&to,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))) == 0)
		escaped("reached a server of the host");
	held();
}
