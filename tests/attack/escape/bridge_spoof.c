/* attack: expect=exited:0 policy=network net=bridge groups=red,blue beside=2 processes=8 time=5s layer=filter,caps+ids why=a cell sends under its own addresses: it may not change them, nor make frames of its own, and the filter lets no others through */
#include "attack.h"
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Another address for an interface, or a neighbour's for another machine: requests that need rights over the network. */
static void change_addresses(void)
{
	static const unsigned long requests[] = {SIOCSIFADDR, SIOCSIFHWADDR,  SIOCSIFFLAGS,
						 SIOCSIFMTU,  SIOCSIFNETMASK, SIOCADDRT,
						 SIOCSARP,    SIOCSIFNAME};
	struct {
		struct nlmsghdr h;
		struct ifaddrmsg a;
		struct rtattr attr;
		unsigned address;
	} add = {.h = {.nlmsg_len = sizeof(add),
		       .nlmsg_type = RTM_NEWADDR,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE},
		 .a = {.ifa_family = AF_INET,
		       .ifa_prefixlen = 24,
		       .ifa_index = if_nametoindex("eth0")},
		 .attr = {.rta_len = 8, .rta_type = IFA_LOCAL},
		 .address = inet_addr("192.0.2.77")};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
	    route = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct nlmsgerr *answer;
	char reply[4096];

	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		struct ifreq r = {.ifr_name = "eth0"};

		r.ifr_addr.sa_family = requests[i] == SIOCSIFHWADDR ? ARPHRD_ETHER : AF_INET;
		if (ioctl(fd, requests[i], &r) == 0)
			escaped("request %#lx changed eth0", requests[i]);
	}
	if (route < 0 || send(route, &add, sizeof(add), 0) < 0)
		return;
	answer = (struct nlmsgerr *)(reply + NLMSG_HDRLEN);
	if (recv(route, reply, sizeof(reply), 0) > 0 &&
	    ((struct nlmsghdr *)reply)->nlmsg_type == NLMSG_ERROR && answer->error == 0)
		escaped("eth0 has another address");
}

/* Frames and packets of one's own making. */
static void make_frames(void)
{
	static const struct {
		int family, type, protocol;
	} raw[] = {{AF_PACKET, SOCK_RAW, 0x0300},
		   {AF_PACKET, SOCK_DGRAM, 0x0300},
		   {AF_INET, SOCK_RAW, IPPROTO_RAW},
		   {AF_INET, SOCK_RAW, IPPROTO_ICMP},
		   {AF_INET6, SOCK_RAW, IPPROTO_RAW}};

	for (size_t i = 0; i < sizeof(raw) / sizeof(*raw); i++)
		if (socket(raw[i].family, raw[i].type, raw[i].protocol) >= 0)
			escaped("made socket %zu that takes whole packets", i);
}

/* A datagram from an address that is not this cell's. */
static void forge_sender(const char *subnet)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;
	struct sockaddr_in from = {.sin_family = AF_INET,
				   .sin_addr.s_addr = inet_addr("192.0.2.77")};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(7000)};

	if (setsockopt(fd, SOL_IP, IP_TRANSPARENT, &on, sizeof(on)) == 0)
		escaped("may send from any address");
	setsockopt(fd, SOL_IP, IP_FREEBIND, &on, sizeof(on));
	bind(fd, (struct sockaddr *)&from, sizeof(from));
	for (int host = 1; host < 15; host++) {
		char address[32];

		snprintf(address, sizeof(address), "%s.%d", subnet, host);
		to.sin_addr.s_addr = inet_addr(address);
		sendto(fd, "forged", 6, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
	}
}

/* Both listen, for what the other one sends them under a name that is not its own. */
int main(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(7000)}, peer;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(peer);
	char text[64];

	bounded(20);
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		broken("bind");
	change_addresses();
	make_frames();
	for (int turn = 0; turn < 20; turn++) {
		forge_sender(given("HOST_SUBNET"));
		usleep(50000);
		if (recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&peer, &size) > 0)
			escaped("a datagram came from %s", inet_ntoa(peer.sin_addr));
	}
	held();
}
