#include "sandbox/network.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

/* Sockets; then what each protocol has ever sent, received and refused.  A kernel without IPv6 lacks the last. */
static const char *const shows[] = {"/proc/self/net/unix", "/proc/self/net/dev",
				    "/proc/self/net/snmp", "/proc/self/net/netstat",
				    "/proc/self/net/snmp6"};

int network_set_up(const char *kind, struct err *e)
{
	struct ifreq r = {.ifr_name = "lo", .ifr_flags = IFF_UP};

	if (strcmp(kind, "loopback") != 0)
		return 0; /* a new network namespace has nothing but "lo", and that is down */
	AUTO_CLOSE int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0 || ioctl(sock, SIOCSIFFLAGS, &r) < 0)
		return err_sys(e, "bring up lo");
	return 0;
}

int network_verify(const char *kind, struct err *e)
{
	struct ifreq r = {.ifr_name = "lo"};
	AUTO_CLOSE int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct if_nameindex *all = if_nameindex();
	int count = 0;

	for (struct if_nameindex *i = all; i && i->if_index != 0; i++)
		count++;
	if (all)
		if_freenameindex(all);
	if (count > 1)
		return err_set(e, "the network namespace has %d interfaces", count);
	if (sock < 0 || ioctl(sock, SIOCGIFFLAGS, &r) < 0)
		return err_sys(e, "flags of lo");
	if (!(r.ifr_flags & IFF_UP) != (strcmp(kind, "loopback") != 0))
		return err_set(e, "lo is %s", r.ifr_flags & IFF_UP ? "up" : "down");
	return 0;
}

static int read_traces(char *out, size_t *len, struct err *e)
{
	*len = 0;
	for (size_t i = 0; i < ARRAY_LEN(shows); i++) {
		AUTO_FREE char *text = NULL;
		size_t n;

		if (io_read_file(shows[i], NETWORK_TRACES_MAX - *len, &text, &n, e) < 0) {
			if (e->num == ENOENT)
				continue;
			return -1;
		}
		memcpy(out + *len, text, n);
		*len += n;
	}
	return 0;
}

int network_open(struct network *n, const char *kind, struct err *e)
{
	n->kind = kind;
	return read_traces(n->traces, &n->len, e);
}

int network_renew(struct network *n, struct err *e)
{
	char now[NETWORK_TRACES_MAX];
	size_t len;

	if (read_traces(now, &len, e) < 0)
		return -1;
	if (len == n->len && memcmp(now, n->traces, len) == 0)
		return 0;
	if (unshare(CLONE_NEWNET) < 0)
		return err_sys(e, "unshare the network");
	if (network_set_up(n->kind, e) < 0 || network_verify(n->kind, e) < 0 ||
	    network_open(n, n->kind, e) < 0)
		return -1;
	return 1;
}
