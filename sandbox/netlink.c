#include "sandbox/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <sched.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/library.h"

/* Every function of the two libraries that is called here. */
#define CORE(X)                                                                                    \
	X(nl_socket_alloc)                                                                         \
	X(nl_socket_free)                                                                          \
	X(nl_connect)                                                                              \
	X(nl_geterror)                                                                             \
	X(nl_addr_build)                                                                           \
	X(nl_addr_put)                                                                             \
	X(nl_addr_set_prefixlen)                                                                   \
	X(nl_cache_free)                                                                           \
	X(nl_cache_get_first)                                                                      \
	X(nl_cache_get_next)                                                                       \
	X(nl_cache_nitems)
#define ROUTE(X)                                                                                   \
	X(rtnl_link_alloc)                                                                         \
	X(rtnl_link_put)                                                                           \
	X(rtnl_link_add)                                                                           \
	X(rtnl_link_delete)                                                                        \
	X(rtnl_link_change)                                                                        \
	X(rtnl_link_alloc_cache)                                                                   \
	X(rtnl_link_get_kernel)                                                                    \
	X(rtnl_link_get_ifindex)                                                                   \
	X(rtnl_link_get_name)                                                                      \
	X(rtnl_link_get_ifalias)                                                                   \
	X(rtnl_link_get_group)                                                                     \
	X(rtnl_link_set_name)                                                                      \
	X(rtnl_link_set_ifindex)                                                                   \
	X(rtnl_link_set_ifalias)                                                                   \
	X(rtnl_link_set_group)                                                                     \
	X(rtnl_link_set_master)                                                                    \
	X(rtnl_link_set_addr)                                                                      \
	X(rtnl_link_set_flags)                                                                     \
	X(rtnl_link_set_ns_fd)                                                                     \
	X(rtnl_link_bridge_alloc)                                                                  \
	X(rtnl_link_veth_alloc)                                                                    \
	X(rtnl_link_veth_get_peer)                                                                 \
	X(rtnl_link_veth_release)                                                                  \
	X(rtnl_addr_alloc)                                                                         \
	X(rtnl_addr_put)                                                                           \
	X(rtnl_addr_set_ifindex)                                                                   \
	X(rtnl_addr_set_local)                                                                     \
	X(rtnl_addr_add)                                                                           \
	X(rtnl_route_alloc)                                                                        \
	X(rtnl_route_put)                                                                          \
	X(rtnl_route_set_dst)                                                                      \
	X(rtnl_route_add_nexthop)                                                                  \
	X(rtnl_route_add)                                                                          \
	X(rtnl_route_nh_alloc)                                                                     \
	X(rtnl_route_nh_set_ifindex)                                                               \
	X(rtnl_route_nh_set_gateway)

static struct {
	CORE(LIBRARY_POINTER) ROUTE(LIBRARY_POINTER)
} nl;

#define AS_ROW(name) {#name, &nl.name},
static const struct library_symbol core[] = {CORE(AS_ROW)};
static const struct library_symbol route[] = {ROUTE(AS_ROW)};

static int load(struct err *e)
{
	static struct library libraries[] = {
		{"libnl-3.so.200", "libnl-3-200", core, ARRAY_LEN(core), 0},
		{"libnl-route-3.so.200", "libnl-route-3-200", route, ARRAY_LEN(route), 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(libraries); i++)
		if (library_load(&libraries[i], e) < 0)
			return err_wrap(e, "private networks");
	return 0;
}

/* The library has error numbers of its own; callers ask for EEXIST alone. */
static int fail(struct err *e, int code, const char *what, const char *name)
{
	err_set(e, "%s %s: %s", what, name, nl.nl_geterror(code));
	e->num = code == -NLE_EXIST ? EEXIST : 0;
	return -1;
}

int netlink_inside(int ns, int (*fn)(void *arg, struct err *e), void *arg, struct err *e)
{
	AUTO_CLOSE int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int status;

	if (home < 0)
		return err_sys(e, "open /proc/self/ns/net");
	if (setns(ns, CLONE_NEWNET) < 0)
		return err_sys(e, "enter a network namespace");
	status = fn(arg, e);
	if (setns(home, CLONE_NEWNET) < 0)
		abort();
	return status;
}

static int connect_here(void *arg, struct err *e)
{
	int code = nl.nl_connect(arg, NETLINK_ROUTE);

	return code < 0 ? fail(e, code, "connect to", "netlink") : 0;
}

struct nl_sock *netlink_open(int ns, struct err *e)
{
	struct nl_sock *sock;

	if (load(e) < 0)
		return NULL;
	sock = nl.nl_socket_alloc();
	if (!sock) {
		err_set(e, "out of memory");
		return NULL;
	}
	if (netlink_inside(ns, connect_here, sock, e) < 0) {
		nl.nl_socket_free(sock);
		return NULL;
	}
	return sock;
}

void netlink_close(struct nl_sock *sock)
{
	if (sock)
		nl.nl_socket_free(sock);
}

static void describe(struct rtnl_link *link, struct netlink_link *out)
{
	const char *name = nl.rtnl_link_get_name(link);
	const char *alias = nl.rtnl_link_get_ifalias(link);

	out->index = nl.rtnl_link_get_ifindex(link);
	out->group = nl.rtnl_link_get_group(link);
	snprintf(out->name, sizeof(out->name), "%s", name ? name : "");
	snprintf(out->alias, sizeof(out->alias), "%s", alias ? alias : "");
}

int netlink_list(struct nl_sock *sock, struct netlink_link **links, size_t *n, struct err *e)
{
	struct nl_cache *cache = NULL;
	int code = nl.rtnl_link_alloc_cache(sock, AF_UNSPEC, &cache);
	size_t count;

	if (code < 0)
		return fail(e, code, "list", "interfaces");
	count = (size_t)nl.nl_cache_nitems(cache);
	*n = 0;
	*links = calloc(count + 1, sizeof(**links));
	for (struct nl_object *o = *links ? nl.nl_cache_get_first(cache) : NULL; o && *n < count;
	     o = nl.nl_cache_get_next(o))
		describe((struct rtnl_link *)o, &(*links)[(*n)++]);
	nl.nl_cache_free(cache);
	return *links ? 0 : err_set(e, "out of memory");
}

/* Sets the address of a link that is being made. */
static int set_mac(struct rtnl_link *link, const uint8_t mac[6], struct err *e)
{
	struct nl_addr *a = nl.nl_addr_build(AF_LLC, mac, 6);

	if (!a)
		return err_set(e, "out of memory");
	nl.rtnl_link_set_addr(link, a);
	nl.nl_addr_put(a);
	return 0;
}

int netlink_add_bridge(struct nl_sock *sock, const char *name, const uint8_t mac[6], struct err *e)
{
	struct rtnl_link *link = nl.rtnl_link_bridge_alloc();
	int status;

	if (!link)
		return err_set(e, "out of memory");
	nl.rtnl_link_set_name(link, name);
	nl.rtnl_link_set_flags(link, IFF_UP);
	status = set_mac(link, mac, e);
	if (status == 0) {
		int code = nl.rtnl_link_add(sock, link, NLM_F_CREATE | NLM_F_EXCL);

		status = code < 0 ? fail(e, code, "add the bridge", name) : 0;
	}
	nl.rtnl_link_put(link);
	return status;
}

int netlink_add_pair(struct nl_sock *sock, const struct netlink_pair *p, struct err *e)
{
	struct rtnl_link *link = nl.rtnl_link_veth_alloc();
	struct rtnl_link *peer = link ? nl.rtnl_link_veth_get_peer(link) : NULL;
	int status;

	if (!peer)
		return err_set(e, "out of memory");
	nl.rtnl_link_set_name(link, p->name);
	nl.rtnl_link_set_group(link, p->group);
	if (p->master)
		nl.rtnl_link_set_master(link, p->master);
	nl.rtnl_link_set_name(peer, p->peer_name);
	nl.rtnl_link_set_ns_fd(peer, p->peer_ns);
	status = p->peer_mac ? set_mac(peer, p->peer_mac, e) : 0;
	nl.rtnl_link_put(peer);
	if (status == 0) {
		int code = nl.rtnl_link_add(sock, link, NLM_F_CREATE | NLM_F_EXCL);

		status = code < 0 ? fail(e, code, "add the pair of interfaces", p->name) : 0;
	}
	nl.rtnl_link_put(link);
	return status;
}

int netlink_remove(struct nl_sock *sock, int index, const char *name, struct err *e)
{
	struct rtnl_link *link = nl.rtnl_link_alloc();
	int code;

	if (!link)
		return err_set(e, "out of memory");
	if (index)
		nl.rtnl_link_set_ifindex(link, index);
	else
		nl.rtnl_link_set_name(link, name);
	code = nl.rtnl_link_delete(sock, link);
	nl.rtnl_link_put(link);
	if (code < 0 && code != -NLE_OBJ_NOTFOUND && code != -NLE_NODEV)
		return fail(e, code, "remove", name);
	return 0;
}

int netlink_up(struct nl_sock *sock, const char *name, const char *alias, struct err *e)
{
	struct rtnl_link *link = NULL;
	struct rtnl_link *change = nl.rtnl_link_alloc();
	int code = nl.rtnl_link_get_kernel(sock, 0, name, &link);
	int index;

	if (!change)
		code = -NLE_NOMEM;
	if (code < 0) {
		if (change)
			nl.rtnl_link_put(change);
		return fail(e, code, "find", name);
	}
	index = nl.rtnl_link_get_ifindex(link);
	nl.rtnl_link_set_flags(change, IFF_UP);
	if (alias)
		nl.rtnl_link_set_ifalias(change, alias);
	code = nl.rtnl_link_change(sock, link, change, 0);
	nl.rtnl_link_put(change);
	nl.rtnl_link_put(link);
	return code < 0 ? fail(e, code, "bring up", name) : index;
}

/* NULL when out of memory. */
static struct nl_addr *ipv4(uint32_t address, unsigned prefix)
{
	uint32_t wire = htonl(address);
	struct nl_addr *a = nl.nl_addr_build(AF_INET, &wire, sizeof(wire));

	if (a)
		nl.nl_addr_set_prefixlen(a, (int)prefix);
	return a;
}

int netlink_add_address(struct nl_sock *sock, int index, uint32_t address, unsigned prefix,
			struct err *e)
{
	struct rtnl_addr *a = nl.rtnl_addr_alloc();
	struct nl_addr *local = ipv4(address, prefix);
	int code = -NLE_NOMEM;

	if (a && local) {
		nl.rtnl_addr_set_ifindex(a, index);
		code = nl.rtnl_addr_set_local(a, local);
		if (code == 0)
			code = nl.rtnl_addr_add(sock, a, 0);
	}
	if (local)
		nl.nl_addr_put(local);
	if (a)
		nl.rtnl_addr_put(a);
	return code < 0 ? fail(e, code, "add", "an address") : 0;
}

int netlink_add_default_route(struct nl_sock *sock, int index, uint32_t gateway, struct err *e)
{
	struct rtnl_route *r = nl.rtnl_route_alloc();
	struct rtnl_nexthop *hop = nl.rtnl_route_nh_alloc();
	struct nl_addr *all = ipv4(0, 0);
	struct nl_addr *via = ipv4(gateway, 32);
	int code = -NLE_NOMEM;

	if (r && hop && all && via) {
		nl.rtnl_route_nh_set_ifindex(hop, index);
		nl.rtnl_route_nh_set_gateway(hop, via);
		nl.rtnl_route_add_nexthop(r, hop); /* r owns it now */
		code = nl.rtnl_route_set_dst(r, all);
		if (code == 0)
			code = nl.rtnl_route_add(sock, r, 0);
	}
	if (all)
		nl.nl_addr_put(all);
	if (via)
		nl.nl_addr_put(via);
	if (r)
		nl.rtnl_route_put(r);
	return code < 0 ? fail(e, code, "add", "the default route") : 0;
}
