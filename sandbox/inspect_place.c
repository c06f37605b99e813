/* Where a process is: its mounts, and the interfaces of its network namespace. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/inspect.h"
#include "sandbox/see.h"

enum { ROOT = 3, POINT, OPTIONS, FIXED };
enum { TYPE, SOURCE, SUPER, AFTER };

/* The kernel writes blanks and backslashes as \ and three octal digits; see proc_pid_mountinfo(5). */
static void unescape(char *s)
{
	char *out = s;

	for (; *s; out++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*out = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 4;
		} else {
			*out = *s++;
		}
	}
	*out = '\0';
}

/* Cuts a line of mountinfo; NULL if it is not one. */
static json_t *mount_json(char *line)
{
	char *fixed[FIXED + 1] = {NULL};
	char *after[AFTER] = {NULL};
	size_t n = 0;
	char *word;

	while (n <= FIXED - 1 && (word = strsep(&line, " ")))
		fixed[n++] = word;
	while ((word = strsep(&line, " ")) && strcmp(word, "-") != 0)
		; /* optional fields */
	for (size_t i = 0; i < AFTER && (word = strsep(&line, " ")); i++)
		after[i] = word;
	if (!fixed[OPTIONS] || !after[SUPER])
		return NULL;
	unescape(fixed[ROOT]);
	unescape(fixed[POINT]);
	unescape(after[SOURCE]);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "point", see_json(fixed[POINT]), "root",
			 see_json(fixed[ROOT]), "type", see_json(after[TYPE]), "source",
			 see_json(after[SOURCE]), "options", see_json(fixed[OPTIONS]),
			 "filesystem_options", see_json(after[SUPER]));
}

json_t *inspect_mounts(int process)
{
	AUTO_FREE char *text = see_read_all(process, "mountinfo");
	char *rest = text;
	json_t *list;
	char *line;

	if (!text)
		return json_null();
	list = json_array();
	while (rest && (line = strsep(&rest, "\n"))) {
		json_t *mount = mount_json(line);

		if (mount)
			(void)json_array_append_new(list, mount);
	}
	return list;
}

static json_t *interface_of(json_t *list, const struct ifaddrs *a)
{
	json_t *known;
	size_t i;

	json_array_foreach(list, i,
			   known) if (strcmp(json_string_value(json_object_get(known, "name")),
					     a->ifa_name) == 0) return known;
	known = json_pack("{s:o, s:b, s:b, s:[]}", "name", see_json(a->ifa_name), "up",
			  (a->ifa_flags & IFF_UP) != 0, "loopback",
			  (a->ifa_flags & IFF_LOOPBACK) != 0, "addresses");
	(void)json_array_append_new(list, known);
	return known;
}

static int prefix_length(const void *mask, size_t size)
{
	const uint8_t *bytes = mask;
	int bits = 0;

	for (size_t i = 0; i < size; i++)
		bits += __builtin_popcount(bytes[i]);
	return bits;
}

static void add_address(json_t *interface, const struct ifaddrs *a)
{
	char text[INET6_ADDRSTRLEN];
	int family = a->ifa_addr->sa_family;
	int six = family == AF_INET6;
	const void *address =
		six ? (const void *)&((const struct sockaddr_in6 *)a->ifa_addr)->sin6_addr
		    : (const void *)&((const struct sockaddr_in *)a->ifa_addr)->sin_addr;
	const void *mask =
		six ? (const void *)&((const struct sockaddr_in6 *)a->ifa_netmask)->sin6_addr
		    : (const void *)&((const struct sockaddr_in *)a->ifa_netmask)->sin_addr;

	if (!a->ifa_netmask || !inet_ntop(family, address, text, sizeof(text)))
		return;
	(void)json_array_append_new(json_object_get(interface, "addresses"),
				    json_sprintf("%s/%d", text, prefix_length(mask, six ? 16 : 4)));
}

static json_t *interfaces(void)
{
	struct ifaddrs *all;
	json_t *list;

	if (getifaddrs(&all) < 0)
		return json_null();
	list = json_array();
	for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
		json_t *interface = interface_of(list, a);
		const struct rtnl_link_stats *s = a->ifa_data;

		if (!a->ifa_addr)
			continue;
		if (a->ifa_addr->sa_family == AF_INET || a->ifa_addr->sa_family == AF_INET6)
			add_address(interface, a);
		else if (a->ifa_addr->sa_family == AF_PACKET && s) {
			(void)json_object_set_new(interface, "received_bytes",
						  json_integer(s->rx_bytes));
			(void)json_object_set_new(interface, "sent_bytes",
						  json_integer(s->tx_bytes));
		}
	}
	freeifaddrs(all);
	return list;
}

/* Asked from inside: /proc shows neither addresses nor which interfaces are up.  Null where we may not go in. */
json_t *inspect_network(int process)
{
	AUTO_CLOSE int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int theirs = openat(process, "ns/net", O_RDONLY | O_CLOEXEC);
	json_t *list;

	if (own < 0 || theirs < 0 || setns(theirs, CLONE_NEWNET) < 0)
		return json_null();
	list = interfaces();
	(void)setns(own, CLONE_NEWNET); /* a namespace that we have just left cannot be refused */
	return list;
}
