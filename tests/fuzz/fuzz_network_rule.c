#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/network_rule.h"
#include "sandbox/nft.h"

/* A rule becomes text for the packet filter: none of it may come through as more than the one name or number that it is. */
static void check_filter(const struct network_rule *r)
{
	AUTO_FREE char *rules = nft_private_rules(r, NULL, 0);
	size_t comments = 0;

	if (!rules)
		abort();
	for (const char *p = rules; (p = strstr(p, " comment \"")); p++) {
		p += strlen(" comment \"");
		p += strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789-");
		if (p[0] != '"' || p[1] != '\n')
			abort();
		comments++;
	}
	if (comments != r->nservices + (r->world ? 1 : 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct network_rule r = {0};
	struct err e = {0};

	if (network_rule_parse(&r, (const char *)data, len, "n", &e) < 0) {
		if (e.msg[0] == '\0')
			abort();
	} else {
		check_filter(&r);
	}
	network_rule_release(&r);
	return 0;
}
