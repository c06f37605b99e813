#include <criterion/criterion.h>
#include <string.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/network_rule.h"
#include "sandbox/nft.h"
#include "sandbox/rules.h"

#define HEAD    "name: n\nsubnet: 10.7.0.0/24\n"
#define SERVICE HEAD "services:\n"

static int parse(struct network_rule *r, const char *text, struct err *e)
{
	*r = (struct network_rule){0};
	return network_rule_parse(r, text, strlen(text), "n", e);
}

Test(network_rule, everything_unsaid_is_closed)
{
	struct network_rule r;
	struct err e;

	cr_assert_eq(parse(&r, HEAD, &e), 0, "%s", e.msg);
	cr_expect_str_eq(r.name, "n");
	cr_expect_eq(r.subnet, 0x0a070000);
	cr_expect_eq(r.prefix, 24);
	cr_expect_not(r.groups);
	cr_expect_not(r.world);
	cr_expect_eq(r.nservices, 0);
	cr_expect_eq(r.rate, 8 << 20);
	cr_expect_eq(r.connections, 256);
	cr_expect_not(network_rule_leads_out(&r));
	cr_expect_eq(network_rule_cells(&r), NETWORK_CELLS_MAX);
	cr_expect_eq(network_rule_gateway(&r), 0x0a070001);
	cr_expect_eq(network_rule_address(&r, 0), 0x0a070002);
	cr_expect_eq(network_rule_address(&r, NETWORK_CELLS_MAX - 1), 0x0a0700fe);
}

Test(network_rule, everything_said_is_kept)
{
	struct network_rule r;
	struct err e;

	cr_assert_eq(
		parse(&r,
		      "name: n\nsubnet: 192.168.7.16/29\ngroups: true\nworld: false\nrate: 512K\n"
		      "connections: 7\nservices:\n"
		      "  - { name: clock, address: 192.168.7.17, port: 1 }\n"
		      "  - { name: names, address: 9.9.9.9, port: 65535, protocol: udp }\n",
		      &e),
		0, "%s", e.msg);
	cr_expect(r.groups);
	cr_expect_eq(r.rate, 512 << 10);
	cr_expect_eq(r.connections, 7);
	cr_expect_eq(r.nservices, 2);
	cr_expect_str_eq(r.services[0].name, "clock");
	cr_expect_eq(r.services[0].protocol, NETWORK_TCP);
	cr_expect_eq(r.services[1].protocol, NETWORK_UDP);
	cr_expect_eq(r.services[1].address, 0x09090909);
	cr_expect_eq(r.services[1].port, 65535);
	cr_expect(network_rule_leads_out(&r), "9.9.9.9 is elsewhere");
	cr_expect_eq(network_rule_cells(&r), 5);
}

/* clang-format off */
static const struct { const char *text, *error; } bad[] = {
	{"", "empty"},
	{"name: n\n", "subnet"},
	{"subnet: 10.7.0.0/24\n", "name"},
	{"name: m\nsubnet: 10.7.0.0/24\n", "name: is 'm', must be 'n'"},
	{HEAD "colour: red\n", "colour"},
	{HEAD "groups: maybe\n", "groups"},
	{HEAD "world: 1\n", "world"},
	{HEAD "connections: 0\n", "connections: 0 is not 1 to 65536"},
	{HEAD "connections: -1\n", "connections: -1 is not"},
	{HEAD "connections: 65537\n", "connections: 65537 is not"},
	{HEAD "connections: many\n", "connections"},
	{HEAD "rate: 8\n", "rate: '8' is out of range, 16K to 1G"},
	{HEAD "rate: 2G\n", "rate: '2G' is out of range"},
	{HEAD "rate: 99999999999999999999999\n", "rate: '99999999999999999999999' is not"},
	{HEAD "rate: 8Mbit\n", "rate: '8Mbit' is not bytes a second"},
	{HEAD "rate: M\n", "rate: 'M' is not"},
	{HEAD "rate: -8M\n", "rate: '-8M' is not"},
	{"name: n\nsubnet: 10.7.0.0\n", "subnet: '10.7.0.0' is not ADDRESS/24"},
	{"name: n\nsubnet: 10.7.0.0/16\n", "subnet: '10.7.0.0/16' is not"},
	{"name: n\nsubnet: 10.7.0.0/30\n", "subnet: '10.7.0.0/30' is not"},
	{"name: n\nsubnet: 10.7.0.0/024\n", "is not ADDRESS/24"},
	{"name: n\nsubnet: 10.7.0.9/24\n", "subnet: '10.7.0.9/24' has bits set"},
	{"name: n\nsubnet: 10.7/24\n", "subnet: '10.7/24' is not"},
	{"name: n\nsubnet: 8.8.8.0/24\n", "subnet: '8.8.8.0/24' must lie in"},
	{"name: n\nsubnet: 127.0.0.0/24\n", "must lie in"},
	{"name: n\nsubnet: 169.254.1.0/24\n", "must lie in"},
	{"name: n\nsubnet: \"fd00::/64\"\n", "subnet: 'fd00::/64' is not"},
	{SERVICE "  - { name: a, port: 1 }\n", "address"},
	{SERVICE "  - { name: a, address: 10.0.0.1 }\n", "port"},
	{SERVICE "  - { address: 10.0.0.1, port: 1 }\n", "name"},
	{SERVICE "  - { name: A b, address: 10.0.0.1, port: 1 }\n", "services[0]: name: 'A b' must be"},
	{SERVICE "  - { name: 'a\"', address: 10.0.0.1, port: 1 }\n", "services[0]: name"},
	{SERVICE "  - { name: a, address: host, port: 1 }\n", "services[0]: address: 'host' is not an IPv4"},
	{SERVICE "  - { name: a, address: 10.0.0.1, port: 0 }\n", "services[0]: port: 0 is not 1 to 65535"},
	{SERVICE "  - { name: a, address: 10.0.0.1, port: 65536 }\n", "services[0]: port: 65536"},
	{SERVICE "  - { name: a, address: 10.0.0.1, port: 1, protocol: sctp }\n", "protocol"},
	{SERVICE "  - { name: a, address: 127.0.0.1, port: 1 }\n", "services[0]: address: is nobody's"},
	{SERVICE "  - { name: a, address: 0.0.0.0, port: 1 }\n", "services[0]: address: is nobody's"},
	{SERVICE "  - { name: a, address: 255.255.255.255, port: 1 }\n", "services[0]: address: is nobody's"},
	{SERVICE "  - { name: a, address: 10.7.0.5, port: 1 }\n", "services[0]: address: is in the subnet"},
	{SERVICE "  - { name: a, address: 9.9.9.9, port: 1 }\n  - { name: a, address: 9.9.9.9, port: 2 }\n",
	 "services[1]: name: 'a' is there twice"},
};
/* clang-format on */

Test(network_rule, mistakes_are_named)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct network_rule r;
		struct err e = {0};

		cr_expect_eq(parse(&r, bad[i].text, &e), -1, "taken: %s", bad[i].text);
		cr_expect_not_null(strstr(e.msg, bad[i].error), "'%s' instead of '%s'", e.msg,
				   bad[i].error);
	}
}

Test(network_rule, mistakes_have_lines)
{
	struct network_rule r;
	struct err e = {0};

	parse(&r, SERVICE "  - { name: a, address: 10.0.0.1, port: x }\n", &e);
	cr_expect_not_null(strstr(e.msg, "line: 4"), "no line is named: %s", e.msg);
}

/* What a rule does not name does not appear in the filter. */
Test(network_rule, filter_says_what_the_rule_says)
{
	const uint32_t host = 0xc0000201;
	struct network_rule r;
	struct err e;

	cr_assert_eq(parse(&r, HEAD, &e), 0);
	AUTO_FREE char *closed = nft_private_rules(&r, NULL, 0);

	cr_assert_not_null(closed);
	cr_expect_null(strstr(closed, "@group"));
	cr_expect_null(strstr(closed, NFT_OUT));
	cr_expect_null(strstr(closed, "dport"));
	cr_expect_null(strstr(closed, "masquerade"));
	cr_expect_not_null(strstr(closed, "\"c252\" . 02:67:0a:07:00:fe . 10.7.0.254"));

	cr_assert_eq(parse(&r,
			   HEAD "groups: true\nworld: true\nservices:\n"
				"  - { name: a, address: 10.7.0.1, port: 80 }\n"
				"  - { name: b, address: 9.9.9.9, port: 53, protocol: udp }\n",
			   &e),
		     0);
	AUTO_FREE char *open = nft_private_rules(&r, &host, 1);

	cr_assert_not_null(open);
	cr_expect_not_null(strstr(open, "@group accept"));
	cr_expect_not_null(strstr(open, "iifname \"gavel0\" ip daddr 10.7.0.1 tcp dport 80 "));
	cr_expect_not_null(
		strstr(open, "iifname \"gavel0\" oifname \"out0\" ip daddr 9.9.9.9 udp dport 53 "));
	cr_expect_not_null(strstr(open, "169.254.0.0/16"));
	cr_expect_not_null(strstr(open, "ip daddr 192.0.2.1 drop"));
}

Test(network_rule, shipped_rules_are_good)
{
	static struct rules rules;
	struct err e;

	cr_assert_eq(rules_load(&rules, "rules", &e), 0, "%s", e.msg);
	cr_expect_not_null(rules_network(&rules, "default"));
	cr_expect_null(rules_network(&rules, "nowhere"));
	rules_release(&rules);
	cr_expect_eq(rules.nnetworks, 0);
}
