#include "sandbox/nft.h"

#include <nftables/libnftables.h>
#include <stdio.h>
#include <string.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/library.h"
#include "sandbox/netlink.h"
#include "sandbox/network_rule.h"

#define CALLS(X)                                                                                   \
	X(nft_ctx_new)                                                                             \
	X(nft_ctx_free)                                                                            \
	X(nft_ctx_buffer_error)                                                                    \
	X(nft_ctx_buffer_output)                                                                   \
	X(nft_ctx_get_error_buffer)                                                                \
	X(nft_run_cmd_from_buffer)

static struct {
	CALLS(LIBRARY_POINTER)
} lib;

#define AS_ROW(name) {#name, &lib.name},
static const struct library_symbol calls[] = {CALLS(AS_ROW)};

/* A bucket must hold the largest packet there is between two cells, which is 64 KiB. */
#define BURST_MIN 262144

#define OCTETS(a) (a) >> 24, (a) >> 16 & 255, (a) >> 8 & 255, (a)&255

void nft_mac(uint32_t address, uint8_t mac[6])
{
	mac[0] = 2; /* locally administered */
	mac[1] = 'g';
	for (int i = 0; i < 4; i++)
		mac[2 + i] = (uint8_t)(address >> (24 - 8 * i));
}

static void put_cells(FILE *f, const struct network_rule *r)
{
	fputs("  set cell { type ifname . ether_addr . ipv4_addr; elements = {", f);
	for (unsigned i = 0; i < network_rule_cells(r); i++) {
		uint32_t a = network_rule_address(r, i);
		uint8_t mac[6];

		nft_mac(a, mac);
		fprintf(f, "%s \"" NFT_PORT "%u\" . %02x:%02x:%02x:%02x:%02x:%02x . %u.%u.%u.%u",
			i ? "," : "", i, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], OCTETS(a));
	}
	fputs(" }; }\n", f);
}

static void put_groups(FILE *f, const struct network_rule *r)
{
	fputs("  set group { type devgroup . devgroup; elements = {", f);
	for (unsigned i = 1; i <= network_rule_cells(r); i++)
		fprintf(f, "%s %u . %u", i > 1 ? "," : "", i, i);
	fputs(" }; }\n", f);
}

/* Frames between ports, and what enters and leaves them. */
static void put_bridge(FILE *f, const struct network_rule *r)
{
	unsigned long long burst = r->rate / 8 > BURST_MIN ? r->rate / 8 : BURST_MIN;
	unsigned long long rate = r->rate;

	fputs("table bridge gavel {\n", f);
	put_cells(f, r);
	if (r->groups)
		put_groups(f, r);
	fprintf(f,
		"  set sent { type ifname; size 512; flags dynamic; }\n"
		"  set received { type ifname; size 512; flags dynamic; }\n"
		"  chain from_cells {\n"
		"    type filter hook prerouting priority -300; policy drop;\n"
		"    update @sent { iifname limit rate over %llu bytes/second burst %llu bytes } "
		"drop\n"
		"    ether type arp arp htype 1 arp ptype ip arp operation { request, reply } "
		"iifname . arp saddr ether . arp saddr ip @cell "
		"iifname . ether saddr . arp saddr ip @cell accept\n"
		"    ether type ip iifname . ether saddr . ip saddr @cell accept\n"
		"  }\n"
		"  chain between_cells {\n"
		"    type filter hook forward priority -200; policy drop;\n"
		"    %s\n"
		"  }\n"
		"  chain to_cells {\n"
		"    type filter hook postrouting priority 0; policy accept;\n"
		"    update @received { oifname limit rate over %llu bytes/second burst %llu bytes "
		"} drop\n"
		"  }\n"
		"}\n",
		rate, burst, r->groups ? "iifgroup . oifgroup @group accept" : "", rate, burst);
}

/* The services that are, or are not, at the gateway's own address. */
static void put_services(FILE *f, const struct network_rule *r, int inside)
{
	for (size_t i = 0; i < r->nservices; i++) {
		const struct network_service *s = &r->services[i];

		if ((s->address == network_rule_gateway(r)) != inside)
			continue;
		fprintf(f,
			"    iifname \"" NFT_BRIDGE "\" %sip daddr %u.%u.%u.%u %s dport %u "
			"ct state new jump admit comment \"%s\"\n",
			inside ? "" : "oifname \"" NFT_OUT "\" ", OCTETS(s->address),
			s->protocol == NETWORK_TCP ? "tcp" : "udp", s->port, s->name);
	}
}

static void put_world(FILE *f)
{
	fputs("    iifname \"" NFT_BRIDGE "\" oifname \"" NFT_OUT "\" ct state new ip daddr != {",
	      f);
	for (const struct network_range *s = network_special_ranges; s->text; s++)
		fprintf(f, "%s %s", s == network_special_ranges ? "" : ",", s->text);
	fputs(" } jump admit comment \"world\"\n", f);
}

/* What goes through the gateway, or to it. */
static void put_gateway(FILE *f, const struct network_rule *r, const uint32_t *host, size_t nhost)
{
	fprintf(f,
		"table ip gavel {\n"
		"  set open { type ipv4_addr; size 512; flags dynamic; }\n"
		"  chain admit {\n"
		"    add @open { ip saddr ct count over %u } drop\n"
		"    accept\n"
		"  }\n"
		"  chain to_gateway {\n"
		"    type filter hook input priority 0; policy drop;\n"
		"    ct state established,related accept\n",
		r->connections);
	put_services(f, r, 1);
	fputs("  }\n"
	      "  chain from_gateway {\n"
	      "    type filter hook output priority 0; policy drop;\n"
	      "    ct state established,related accept\n"
	      "  }\n"
	      "  chain through_gateway {\n"
	      "    type filter hook forward priority 0; policy drop;\n",
	      f);
	for (size_t i = 0; i < nhost; i++)
		fprintf(f, "    ip daddr %u.%u.%u.%u drop\n", OCTETS(host[i]));
	fputs("    ct state established,related accept\n", f);
	put_services(f, r, 0);
	if (r->world)
		put_world(f);
	fputs("  }\n", f);
	if (network_rule_leads_out(r))
		fputs("  chain behind_gateway {\n"
		      "    type nat hook postrouting priority 100; policy accept;\n"
		      "    oifname \"" NFT_OUT "\" masquerade\n"
		      "  }\n",
		      f);
	fputs("}\n", f);
}

/* Closes the stream; NULL if not all of the text came to be. */
static char *finish(FILE *f, char **text)
{
	int bad = ferror(f);

	if (fclose(f) == 0 && !bad)
		return *text;
	free(*text);
	return NULL;
}

char *nft_private_rules(const struct network_rule *r, const uint32_t *host, size_t nhost)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	put_bridge(f, r);
	put_gateway(f, r, host, nhost);
	return finish(f, &text);
}

char *nft_host_rules(const char *table, const char *uplink, uint32_t inner)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	fprintf(f,
		"table inet %s {\n"
		"  flags owner;\n"
		"  chain to_host {\n"
		"    type filter hook input priority -300; policy accept;\n"
		"    iifname \"%s\" drop\n"
		"  }\n"
		"  chain through_host {\n"
		"    type filter hook forward priority -10; policy accept;\n"
		"    iifname \"%s\" ip saddr != %u.%u.%u.%u drop\n"
		"    iifname \"%s\" meta nfproto ipv6 drop\n"
		"    oifname \"%s\" ct state != { established, related } drop\n"
		"  }\n"
		"  chain behind_host {\n"
		"    type nat hook postrouting priority 100; policy accept;\n"
		"    ip saddr %u.%u.%u.%u oifname != \"%s\" masquerade\n"
		"  }\n"
		"}\n",
		table, uplink, uplink, OCTETS(inner), uplink, uplink, OCTETS(inner), uplink);
	return finish(f, &text);
}

static int load(struct err *e)
{
	static struct library nftables = {"libnftables.so.1", "libnftables1", calls,
					  ARRAY_LEN(calls), 0};

	return library_load(&nftables, e) < 0 ? err_wrap(e, "private networks") : 0;
}

struct nft_guard {
	struct nft_ctx *ctx;
	const char *rules; /* while they are being loaded */
};

/* The library connects to the kernel when a context is made, or later: both happen in here. */
static int load_here(void *arg, struct err *e)
{
	struct nft_guard *g = arg;
	const char *said;

	g->ctx = lib.nft_ctx_new(NFT_CTX_DEFAULT);
	if (!g->ctx)
		return err_set(e, "nftables: no context");
	(void)lib.nft_ctx_buffer_error(g->ctx);
	(void)lib.nft_ctx_buffer_output(g->ctx);
	if (lib.nft_run_cmd_from_buffer(g->ctx, g->rules) == 0)
		return 0;
	said = lib.nft_ctx_get_error_buffer(g->ctx);
	return err_set(e, "nftables: %.*s", said ? (int)strcspn(said, "\n") : 0, said ? said : "");
}

struct nft_guard *nft_guard_open(int ns, const char *rules, struct err *e)
{
	struct nft_guard *g;

	if (!rules) {
		err_set(e, "out of memory");
		return NULL;
	}
	if (load(e) < 0)
		return NULL;
	g = calloc(1, sizeof(*g));
	if (!g) {
		err_set(e, "out of memory");
		return NULL;
	}
	g->rules = rules;
	if (netlink_inside(ns, load_here, g, e) < 0) {
		nft_guard_close(g);
		return NULL;
	}
	g->rules = NULL;
	return g;
}

void nft_guard_close(struct nft_guard *g)
{
	if (!g)
		return;
	if (g->ctx)
		lib.nft_ctx_free(g->ctx);
	free(g);
}

int nft_load(int ns, const char *rules, struct err *e)
{
	struct nft_guard *g = nft_guard_open(ns, rules, e);
	int status = g ? 0 : -1;

	nft_guard_close(g);
	return status;
}
