/* attack: expect=exited:0 each=native,network policy={} layer=seccomp why=the filter's list of socket families */
#include "attack.h"
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <sys/socket.h>

/* Families and types that are a large part of the kernel to attack. */
int main(void)
{
	static const int families[] = {AF_PACKET, AF_VSOCK, AF_ALG,       AF_KEY, AF_BLUETOOTH,
				       AF_CAN,    AF_TIPC,  AF_RDS,       AF_NFC, AF_XDP,
				       AF_X25,    AF_AX25,  AF_APPLETALK, 43 /* SMC */};
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET};

	for (size_t f = 0; f < sizeof(families) / sizeof(*families); f++)
		for (size_t t = 0; t < sizeof(types) / sizeof(*types); t++)
			if (socket(families[f], types[t], 0) >= 0)
				escaped("socket of family %d type %d", families[f], types[t]);
	if (socket(AF_INET, SOCK_RAW, 1) >= 0 || socket(AF_INET6, SOCK_RAW, 58) >= 0)
		escaped("raw socket");
	for (int protocol = 1; protocol < 24; protocol++)
		if (socket(AF_NETLINK, SOCK_RAW, protocol) >= 0)
			escaped("netlink %d", protocol);
	held();
}
