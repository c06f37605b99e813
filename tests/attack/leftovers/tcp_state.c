/* attack: expect=exited:0 rounds=2 policy=network net=loopback layer=fresh_net why=a network that a run has used is replaced: sockets in TIME_WAIT, counters, learnt addresses */
#include "attack.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static const struct sockaddr_in home = {
	.sin_family = AF_INET, .sin_port = 0x5c11, .sin_addr = {0x0100007f}};

/* Connections that the server ends first, so that they stay for a minute, when all who knew them are gone. */
static void leave(void)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);

	if (bind(listener, (const struct sockaddr *)&home, sizeof(home)) < 0 ||
	    listen(listener, 5) < 0)
		broken("listen");
	for (int i = 0; i < 5; i++) {
		int client = socket(AF_INET, SOCK_STREAM, 0), served;

		if (connect(client, (const struct sockaddr *)&home, sizeof(home)) < 0)
			broken("connect");
		served = accept(listener, NULL, NULL);
		close(served);
		close(client);
		sendto(udp, "x", 1, 0, (const struct sockaddr *)&home, sizeof(home));
	}
}

/* Sockets listed, and all numbers of a file of counters added up. */
static long sum(const char *path)
{
	char word[64];
	long total = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		return 0;
	while (fscanf(f, "%63s", word) == 1)
		total += strncmp(path, "/proc/self/net/tcp", 18) ? atol(word)
								 : !strncmp(word, "0100007F:", 9);
	fclose(f);
	return total;
}

int main(void)
{
	static const char *const files[] = {"/proc/self/net/tcp", "/proc/self/net/udp",
					    "/proc/self/net/sockstat"};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char line[512];
	FILE *f;

	bounded(20);
	if (atoi(given("ROUND")) == 1) {
		leave();
		held();
	}
	if (sum(files[0]) > 0)
		escaped("%ld connections are listed", sum(files[0]));
	f = fopen("/proc/self/net/snmp", "re");
	while (f && fgets(line, sizeof(line), f)) {
		long accepted, opened;

		if (sscanf(line, "Tcp: %*d %*d %*d %*d %ld %ld", &opened, &accepted) == 2 &&
		    opened + accepted > 0)
			escaped("%ld connections were counted", opened + accepted);
	}
	if (bind(fd, (const struct sockaddr *)&home, sizeof(home)) < 0)
		escaped("the port of the first round is in use");
	held();
}
