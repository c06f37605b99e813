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

	if (strcmp(kind, "none") == 0)
		return 0; /* a new network namespace has nothing but "lo", and that is down */
	AUTO_CLOSE int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0 || ioctl(sock, SIOCSIFFLAGS, &r) < 0)
		return err_sys(e, "bring up lo");
	return 0;
}

/* The flags of an interface; -1 if it is not there. */
static int flags_of(const char *name, struct err *e)
{
	struct ifreq r = {0};
	AUTO_CLOSE int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (sock < 0 || ioctl(sock, SIOCGIFFLAGS, &r) < 0)
		return err_sys(e, "flags of %s", name);
	return r.ifr_flags & 0xffff;
}

/* Interfaces with an IPv6 address are listed here; a kernel without IPv6 has no such file. */
static int verify_no_ipv6(struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if (io_read_file("/proc/self/net/if_inet6", NETWORK_TRACES_MAX, &text, &len, e) < 0)
		return e->num == ENOENT ? 0 : -1;
	return len == 0 ? 0 : err_set(e, "an interface has an IPv6 address");
}

int network_verify(const char *kind, struct err *e)
{
	int bridged = strcmp(kind, "bridge") == 0;
	int lo = flags_of("lo", e);
	int eth0 = bridged ? flags_of("eth0", e) : 0;
	struct if_nameindex *all = if_nameindex();
	int count = 0;

	for (struct if_nameindex *i = all; i && i->if_index != 0; i++)
		count++;
	if (all)
		if_freenameindex(all);
	if (lo < 0 || eth0 < 0)
		return -1;
	if (count > 1 + bridged)
		return err_set(e, "the network namespace has %d interfaces", count);
	if (!(lo & IFF_UP) != (strcmp(kind, "none") == 0))
		return err_set(e, "lo is %s", lo & IFF_UP ? "up" : "down");
	if (bridged && !(eth0 & IFF_UP))
		return err_set(e, "eth0 is down");
	return bridged ? verify_no_ipv6(e) : 0;
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
	int bridged = strcmp(n->kind, "bridge") == 0;

	if (!bridged && read_traces(now, &len, e) < 0)
		return -1;
	if (!bridged && len == n->len && memcmp(now, n->traces, len) == 0)
		return 0;
	if (unshare(CLONE_NEWNET) < 0)
		return err_sys(e, "unshare the network");
	if (bridged)
		return network_set_up(n->kind, e) < 0 ? -1 : 1;
	if (network_set_up(n->kind, e) < 0 || network_verify(n->kind, e) < 0 ||
	    network_open(n, n->kind, e) < 0)
		return -1;
	return 1;
}

int network_check(const struct network *n, struct err *e)
{
	if (strcmp(n->kind, "bridge") != 0)
		return 0; /* nobody has touched it since it was verified */
	return network_verify(n->kind, e) < 0 ? err_wrap(e, "network") : 0;
}
