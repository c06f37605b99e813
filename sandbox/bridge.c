#include "sandbox/bridge.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/digest.h"
#include "sandbox/netlink.h"
#include "sandbox/network_rule.h"
#include "sandbox/nft.h"
#include "sandbox/rights.h"

#define INSIDE "eth0" /* the cell's end */

/* Pairs to the host take four addresses each of 100.127.0.0/16; the name of the host's end is the claim to them. */
#define UPLINK       "gavel-up"
#define UPLINKS_MAX  16384
#define UPLINK_FIRST 0x647f0000U

#define HOST_ADDRESSES_MAX 256 /* of those beyond, the filter of the host alone keeps cells away */

#define GROUP_ALIAS "group:"

static int open_own_namespace(struct err *e)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "open /proc/self/ns/net") : fd;
}

/* Writes a number to a file of /proc/sys/net; 1 if the kernel has none of that name. */
static int set(const char *name, int value, struct err *e)
{
	char path[128];
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", value);

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0)
		return err_sys(e, "open %s", path);
	return io_write_all(fd, text, (size_t)len, e) < 0 ? err_wrap(e, "%s", path) : 0;
}

/* A kernel without IPv6 has none to switch off. */
static int no_ipv6(void *unused, struct err *e)
{
	(void)unused;
	if (set("ipv6/conf/all/disable_ipv6", 1, e) < 0 ||
	    set("ipv6/conf/default/disable_ipv6", 1, e) < 0)
		return -1;
	return 0;
}

/* Of a new private namespace.  What crosses the bridge must not be taken for what is routed, or the rules would not fit. */
static int set_switches(void *arg, struct err *e)
{
	const struct network_rule *rule = arg;

	if (no_ipv6(NULL, e) < 0 || set("bridge/bridge-nf-call-iptables", 0, e) < 0 ||
	    set("bridge/bridge-nf-call-ip6tables", 0, e) < 0 ||
	    set("bridge/bridge-nf-call-arptables", 0, e) < 0)
		return -1;
	return set("ipv4/ip_forward", network_rule_leads_out(rule), e) < 0 ? -1 : 0;
}

/*
 * A network namespace in a new user namespace.  Its owner is whoever makes it, so this process and others of the same user
 * have all rights over it and need none over the host's network.  The child is there for us to take it from.
 */
static int new_namespace(struct err *e)
{
	int pidfd = -1;
	int wait[2];
	char path[64];
	struct clone_args args = {.flags = CLONE_NEWUSER | CLONE_NEWNET | CLONE_PIDFD,
				  .pidfd = (uintptr_t)&pidfd,
				  .exit_signal = SIGCHLD};

	if (pipe2(wait, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	AUTO_CLOSE int hold = wait[1];
	AUTO_CLOSE int held = wait[0];
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0) {
		(void)close(hold);
		_exit(read(held, path, 1) == 0 ? 0 : 1); /* the other end has been closed */
	}
	if (pid < 0)
		return err_sys(e, "clone3 with a network namespace");
	snprintf(path, sizeof(path), "/proc/%ld/ns/net", pid);
	AUTO_CLOSE int ns = open(path, O_RDONLY | O_CLOEXEC);

	if (ns < 0)
		err_sys(e, "open %s", path);
	(void)close(fd_steal(&hold));
	while (waitid(P_PIDFD, (id_t)pidfd, &(siginfo_t){0}, WEXITED | __WALL) < 0 &&
	       errno == EINTR)
		;
	(void)close(pidfd);
	return fd_steal(&ns);
}

/* What the host must do by itself for a network that leads out. */
static int check_host_forwards(struct err *e)
{
	static const char path[] = "/proc/sys/net/ipv4/ip_forward";
	AUTO_FREE char *text = NULL;
	size_t len;

	if (io_read_file(path, 16, &text, &len, e) < 0)
		return -1;
	if (text[0] == '1')
		return 0;
	return err_set(
		e, "the rule leads out, so the host must forward: sysctl net.ipv4.ip_forward=1");
}

/* The table that keeps the host itself out of reach; the caller's own copy. */
static int guard_host(struct bridge *b, const char *uplink, struct err *e)
{
	AUTO_CLOSE int home = open_own_namespace(e);
	unsigned long number = strtoul(uplink + strlen(UPLINK), NULL, 10);
	char table[64];
	AUTO_FREE char *rules = NULL;

	if (home < 0)
		return -1;
	snprintf(table, sizeof(table), "gavel_%d_%lu", (int)getpid(), number);
	rules = nft_host_rules(table, uplink, UPLINK_FIRST + 4 * (uint32_t)number + 2);
	b->guard = nft_guard_open(home, rules, e);
	return b->guard ? 0 : err_wrap(e, "filter of the host's side");
}

/* The two ends of a pair to the host that exists get their addresses; there is no IPv6 on it. */
static int set_up_uplink(struct bridge *b, struct nl_sock *host, const char *name, unsigned number,
			 struct err *e)
{
	uint32_t first = UPLINK_FIRST + 4 * number;
	char setting[64];
	int inner;
	int outer;

	snprintf(setting, sizeof(setting), "ipv6/conf/%s/disable_ipv6", name);
	if (set(setting, 1, e) < 0)
		return -1;
	outer = netlink_up(host, name, NULL, e);
	if (outer < 0 || netlink_add_address(host, outer, first + 1, 30, e) < 0)
		return -1;
	inner = netlink_up(b->sock, NFT_OUT, name, e);
	if (inner < 0 || netlink_add_address(b->sock, inner, first + 2, 30, e) < 0)
		return -1;
	b->out = inner;
	return netlink_add_default_route(b->sock, inner, first + 1, e);
}

/* The first number that is free.  The filter comes before the interface, so there is no moment without it. */
static int add_uplink(struct bridge *b, struct err *e)
{
	AUTO_CLOSE int home = open_own_namespace(e);
	struct nl_sock *host;
	int status = -1;

	if (home < 0 || check_host_forwards(e) < 0)
		return -1;
	host = netlink_open(home, e);
	if (!host)
		return -1;
	for (unsigned i = 0; i < UPLINKS_MAX && status < 0; i++) {
		char name[NETLINK_NAME_MAX + 1];
		struct netlink_pair pair = {.name = NFT_OUT, .peer_name = name, .peer_ns = home};

		snprintf(name, sizeof(name), UPLINK "%u", i);
		if (guard_host(b, name, e) < 0)
			break;
		status = netlink_add_pair(b->sock, &pair, e);
		if (status == 0) {
			status = set_up_uplink(b, host, name, i, e);
			break;
		}
		nft_guard_close(b->guard);
		b->guard = NULL;
		if (e->num != EEXIST)
			break;
	}
	netlink_close(host);
	return status;
}

/* The packet filter of a new network; NULL with *e. */
static char *write_rules(const struct network_rule *rule, struct err *e)
{
	uint32_t host[HOST_ADDRESSES_MAX];
	size_t n = 0;
	struct ifaddrs *all = NULL;
	char *rules;

	if (network_rule_leads_out(rule) && getifaddrs(&all) < 0) {
		err_sys(e, "addresses of the host");
		return NULL;
	}
	for (const struct ifaddrs *a = all; a && n < ARRAY_LEN(host); a = a->ifa_next)
		if (a->ifa_addr && a->ifa_addr->sa_family == AF_INET)
			host[n++] = ntohl(((const struct sockaddr_in *)(const void *)a->ifa_addr)
						  ->sin_addr.s_addr);
	freeifaddrs(all);
	rules = nft_private_rules(rule, host, n);
	if (!rules)
		err_set(e, "out of memory");
	return rules;
}

/* Rules first: there is no moment at which the bridge is there and they are not. */
static int make(struct bridge *b, struct err *e)
{
	uint32_t gateway = network_rule_gateway(b->rule);
	AUTO_FREE char *rules = write_rules(b->rule, e);
	uint8_t mac[6];
	int index;

	if (!rules)
		return -1;
	nft_mac(gateway, mac);
	b->ns = new_namespace(e);
	if (b->ns < 0 || netlink_inside(b->ns, set_switches, (void *)b->rule, e) < 0)
		return -1;
	b->sock = netlink_open(b->ns, e);
	if (!b->sock || nft_load(b->ns, rules, e) < 0)
		return -1;
	if (netlink_add_bridge(b->sock, NFT_BRIDGE, mac, e) < 0)
		return -1;
	index = netlink_up(b->sock, NFT_BRIDGE, NULL, e);
	if (index < 0 || netlink_add_address(b->sock, index, gateway, b->rule->prefix, e) < 0)
		return -1;
	return network_rule_leads_out(b->rule) ? add_uplink(b, e) : 0;
}

static const struct netlink_link *find_link(const struct netlink_link *links, size_t n,
					    const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(links[i].name, name) == 0)
			return &links[i];
	return NULL;
}

/* A network that somebody else has made. */
static int join(struct bridge *b, struct err *e)
{
	AUTO_FREE struct netlink_link *links = NULL;
	const struct netlink_link *out;
	size_t n;

	b->sock = netlink_open(b->ns, e);
	if (!b->sock || netlink_list(b->sock, &links, &n, e) < 0)
		return -1;
	out = find_link(links, n, NFT_OUT);
	if (!find_link(links, n, NFT_BRIDGE) || !out != !network_rule_leads_out(b->rule))
		return err_set(e, "the network that was found is not whole");
	b->out = out ? out->index : 0;
	return out ? guard_host(b, out->alias, e) : 0;
}

/* The process that holds a lock on the file, and at which offset; 0 if nobody does. */
static int find_holder(int registry, struct flock *lock, struct err *e)
{
	*lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
	if (fcntl(registry, F_GETLK, lock) < 0)
		return err_sys(e, "look for the holder of a network");
	return lock->l_type != F_UNLCK;
}

/* Opens the namespace that a holder has.  1 if there is no holder. */
static int find(struct bridge *b, struct err *e)
{
	struct flock lock;
	char path[64];
	int held = find_holder(b->registry, &lock, e);

	if (held <= 0)
		return held < 0 ? -1 : 1;
	snprintf(path, sizeof(path), "/proc/%d/fd/%lld", (int)lock.l_pid, (long long)lock.l_start);
	b->ns = open(path, O_RDONLY | O_CLOEXEC);
	if (b->ns < 0 && find_holder(b->registry, &lock, e) == 0)
		return 1; /* it has just died */
	if (b->ns < 0)
		return err_sys(e, "the network that process %d holds", (int)lock.l_pid);
	if (ioctl(b->ns, NS_GET_NSTYPE) != CLONE_NEWNET)
		return err_set(e, "%s is not a network namespace", path);
	return 0;
}

static int hold(struct bridge *b, struct err *e)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = b->ns, .l_len = 1};

	return fcntl(b->registry, F_SETLK, &lock) < 0 ? err_sys(e, "hold the network") : 0;
}

/* The part of a file's name that tells rules of one name but different text apart, and the hosts of containers. */
static int key(const struct network_rule *rule, char *out, size_t size, struct err *e)
{
	char digest[DIGEST_HEX];
	struct stat st;

	if (stat("/proc/self/ns/net", &st) < 0)
		return err_sys(e, "/proc/self/ns/net");
	if (digest_of(rule->text, strlen(rule->text), digest, e) < 0)
		return -1;
	snprintf(out, size, "%.12s-%lu", digest, (unsigned long)st.st_ino);
	return 0;
}

static int open_folder(struct err *e)
{
	struct stat st;

	if (mkdir(BRIDGE_FOLDER, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "mkdir " BRIDGE_FOLDER);
	if (lstat(BRIDGE_FOLDER, &st) < 0)
		return err_sys(e, BRIDGE_FOLDER);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077))
		return err_set(e, BRIDGE_FOLDER " is not a folder that is ours alone");
	return 0;
}

/* Opens the file and locks out everybody else; a file that was removed in between is of no use. */
static int open_registry(struct bridge *b, struct err *e)
{
	struct stat st;

	for (;;) {
		if (open_folder(e) < 0)
			return -1;
		AUTO_CLOSE int fd = open(b->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0 && errno == ENOENT)
			continue; /* somebody has just removed the folder */
		if (fd < 0)
			return err_sys(e, "open %s", b->path);
		if (flock(fd, LOCK_EX) < 0 || fstat(fd, &st) < 0)
			return err_sys(e, "lock %s", b->path);
		if (st.st_nlink > 0) {
			b->registry = fd_steal(&fd);
			return 0;
		}
	}
}

void bridge_sweep(void)
{
	DIR *d = opendir(BRIDGE_FOLDER);
	struct flock lock;
	struct err ignored;

	if (!d)
		return;
	for (struct dirent *entry; (entry = readdir(d));) {
		/* Only files that this process does not hold: closing one would drop its own lock. */
		AUTO_CLOSE int fd = openat(dirfd(d), entry->d_name,
					   O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
		    find_holder(fd, &lock, &ignored) == 0)
			(void)unlinkat(dirfd(d), entry->d_name, 0);
	}
	closedir(d);
	(void)rmdir(BRIDGE_FOLDER);
}

int bridge_open(struct bridge *b, const struct network_rule *rule, const char *group,
		const char *instance, struct err *e)
{
	char unique[64];
	int status;

	*b = (struct bridge){.rule = rule, .registry = -1, .ns = -1};
	if (rights_user() != 0)
		return err_set(
			e,
			"network bridge:%s: only root can make private networks: use none or "
			"loopback, or run it as root",
			rule->name);
	snprintf(b->group, sizeof(b->group), "%s", group);
	if (key(rule, unique, sizeof(unique), e) < 0)
		return -1;
	snprintf(b->path, sizeof(b->path), BRIDGE_FOLDER "/%s-%s-%.64s", rule->name, unique,
		 instance);
	bridge_sweep();
	if (open_registry(b, e) < 0)
		return err_wrap(e, "network bridge:%s", rule->name);
	status = find(b, e);
	if (status == 0)
		status = join(b, e);
	else if (status == 1)
		status = make(b, e);
	if (status == 0)
		status = hold(b, e);
	(void)flock(b->registry, LOCK_UN);
	if (status < 0) {
		bridge_close(b);
		return err_wrap(e, "network bridge:%s", rule->name);
	}
	return 0;
}

static void port_name(unsigned cell, char *out)
{
	snprintf(out, NETLINK_NAME_MAX + 1, NFT_PORT "%u", cell);
}

/* The number of the group: what a port of the same group has, or one that nobody has.  Cells of no group have 0. */
static uint32_t pick_group(const struct netlink_link *links, size_t n, const char *alias)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(links[i].alias, alias) == 0)
			return links[i].group;
	for (uint32_t number = 1;; number++) {
		size_t i = 0;

		while (i < n && links[i].group != number)
			i++;
		if (i == n)
			return number;
	}
}

/* The cell's number: the one it had, if that is free, else the first free one. */
static int pick_cell(struct bridge *b, const struct netlink_link *links, size_t n, struct err *e)
{
	unsigned cells = network_rule_cells(b->rule);

	for (unsigned i = 0; i < cells; i++) {
		unsigned cell = (b->cell + i) % cells;
		char name[NETLINK_NAME_MAX + 1];

		port_name(cell, name);
		if (!find_link(links, n, name)) {
			b->cell = cell;
			return 0;
		}
	}
	return err_set(e, "all %u addresses of the subnet are taken", cells);
}

/* The cell's end: address and default route. */
static int set_up_inside(const struct bridge *b, int ns, struct err *e)
{
	uint32_t address = network_rule_address(b->rule, b->cell);
	struct nl_sock *inside = netlink_open(ns, e);
	int index;
	int status = -1;

	if (!inside)
		return -1;
	index = netlink_up(inside, INSIDE, NULL, e);
	if (index >= 0 && netlink_add_address(inside, index, address, b->rule->prefix, e) == 0)
		status = netlink_add_default_route(inside, index, network_rule_gateway(b->rule), e);
	netlink_close(inside);
	return status;
}

/* A new pair between the bridge and the namespace ns. */
static int add_port(struct bridge *b, int ns, struct err *e)
{
	AUTO_FREE struct netlink_link *links = NULL;
	const struct netlink_link *bridge;
	char name[NETLINK_NAME_MAX + 1];
	char alias[NETLINK_ALIAS_MAX + 1];
	uint8_t mac[6];
	size_t n;

	if (netlink_list(b->sock, &links, &n, e) < 0 || pick_cell(b, links, n, e) < 0)
		return -1;
	bridge = find_link(links, n, NFT_BRIDGE);
	if (!bridge)
		return err_set(e, "the bridge is gone");
	port_name(b->cell, name);
	snprintf(alias, sizeof(alias), GROUP_ALIAS "%s", b->group);
	nft_mac(network_rule_address(b->rule, b->cell), mac);
	struct netlink_pair pair = {
		.name = name,
		.peer_name = INSIDE,
		.peer_ns = ns,
		.peer_mac = mac,
		.group = b->group[0] ? pick_group(links, n, alias) : 0,
		.master = bridge->index,
	};

	if (netlink_add_pair(b->sock, &pair, e) < 0)
		return -1;
	b->port = netlink_up(b->sock, name, b->group[0] ? alias : NULL, e);
	if (b->port >= 0 && set_up_inside(b, ns, e) == 0)
		return 0;
	struct err ignored;

	b->port = 0;
	(void)netlink_remove(b->sock, 0, name, &ignored);
	return -1;
}

static void remove_port(struct bridge *b)
{
	struct err ignored;

	if (b->port)
		(void)netlink_remove(b->sock, b->port, "", &ignored);
	b->port = 0;
	b->plugged = 0;
}

int bridge_plug(struct bridge *b, int ns, struct err *e)
{
	struct stat st;
	int status;

	if (fstat(ns, &st) < 0 || ioctl(ns, NS_GET_NSTYPE) != CLONE_NEWNET)
		return err_set(e, "network bridge:%s: that is no network namespace", b->rule->name);
	if (st.st_ino == b->plugged)
		return 0;
	if (flock(b->registry, LOCK_EX) < 0)
		return err_sys(e, "lock %s", b->path);
	remove_port(b);
	status = netlink_inside(ns, no_ipv6, NULL, e);
	if (status == 0)
		status = add_port(b, ns, e);
	(void)flock(b->registry, LOCK_UN);
	if (status < 0)
		return err_wrap(e, "network bridge:%s", b->rule->name);
	b->plugged = st.st_ino;
	return 0;
}

void bridge_close(struct bridge *b)
{
	struct flock other;
	struct err ignored;

	if (!b->rule)
		return;
	if (b->registry >= 0)
		(void)flock(b->registry, LOCK_EX);
	remove_port(b);
	/* The kernel would take the pair to the host along with the namespace, but a while later. */
	if (b->out && find_holder(b->registry, &other, &ignored) == 0)
		(void)netlink_remove(b->sock, b->out, "", &ignored);
	netlink_close(b->sock);
	nft_guard_close(b->guard);
	if (b->registry >= 0) {
		(void)flock(b->registry, LOCK_UN); /* a child may have inherited it */
		(void)close(b->registry);          /* and with it our lock of a byte */
	}
	if (b->ns >= 0)
		(void)close(b->ns);
	*b = (struct bridge){.registry = -1, .ns = -1};
	bridge_sweep();
}
