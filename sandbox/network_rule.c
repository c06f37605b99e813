#include "sandbox/network_rule.h"

#include <arpa/inet.h>
#include <string.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/rule_file.h"

#define TEXT_MAX 65536
#define KIB      1024ULL
#define RATE_MIN (16 * KIB)
#define RATE_MAX (1048576 * KIB)
#define RATE     (8192 * KIB)

#define CONNECTIONS     256
#define CONNECTIONS_MAX 65536

#define IP(a, b, c, d)                                                                             \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* What the registry of special-purpose addresses (RFC 6890) keeps from the public, but for the documentation's. */
const struct network_range network_special_ranges[] = {
	{"0.0.0.0/8", IP(0, 0, 0, 0), 8, 0},
	{"10.0.0.0/8", IP(10, 0, 0, 0), 8, 1},
	{"100.64.0.0/10", IP(100, 64, 0, 0), 10, 1},
	{"127.0.0.0/8", IP(127, 0, 0, 0), 8, 0},
	{"169.254.0.0/16", IP(169, 254, 0, 0), 16, 0},
	{"172.16.0.0/12", IP(172, 16, 0, 0), 12, 1},
	{"192.0.0.0/24", IP(192, 0, 0, 0), 24, 0},
	{"192.168.0.0/16", IP(192, 168, 0, 0), 16, 1},
	{"198.18.0.0/15", IP(198, 18, 0, 0), 15, 0},
	{"224.0.0.0/3", IP(224, 0, 0, 0), 3, 0},
	{NULL, 0, 0, 0},
};

/* What libcyaml reads into. */
enum truth { UNSAID, NO, YES };

struct service {
	char *name, *address;
	enum network_protocol protocol;
	int port;
};

struct file {
	char *name, *subnet, *rate;
	enum truth groups, world;
	int *connections;
	struct service *services;
	unsigned services_count;
};

static const cyaml_strval_t no_yes[] = {{"false", NO}, {"true", YES}};
static const cyaml_strval_t protocols[] = {{"tcp", NETWORK_TCP}, {"udp", NETWORK_UDP}};

static const cyaml_schema_field_t service_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct service, name, 1, 32),
	CYAML_FIELD_STRING_PTR("address", CYAML_FLAG_POINTER, struct service, address, 1, 64),
	CYAML_FIELD_INT("port", CYAML_FLAG_DEFAULT, struct service, port),
	CYAML_FIELD_ENUM("protocol", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct service,
			 protocol, protocols, CYAML_ARRAY_LEN(protocols)),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t service_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct service, service_fields),
};

static const cyaml_schema_field_t file_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct file, name, 1, 64),
	CYAML_FIELD_STRING_PTR("subnet", CYAML_FLAG_POINTER, struct file, subnet, 1, 64),
	CYAML_FIELD_STRING_PTR("rate", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file, rate,
			       1, 64),
	CYAML_FIELD_INT_PTR("connections", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file,
			    connections),
	/* libcyaml would take any word but a few for true. */
	CYAML_FIELD_ENUM("groups", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct file, groups,
			 no_yes, CYAML_ARRAY_LEN(no_yes)),
	CYAML_FIELD_ENUM("world", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct file, world,
			 no_yes, CYAML_ARRAY_LEN(no_yes)),
	CYAML_FIELD_SEQUENCE("services", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file,
			     services, &service_schema, 0, NETWORK_SERVICES_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t file_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file, file_fields),
};

static uint32_t mask(unsigned prefix)
{
	return prefix == 0 ? 0 : ~0U << (32 - prefix);
}

/* Four decimal numbers and nothing else. */
static int parse_address(const char *text, uint32_t *out)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1)
		return 0;
	*out = ntohl(a.s_addr);
	return 1;
}

static int take_subnet(struct network_rule *r, const char *given, struct err *e)
{
	char text[64];
	char *slash;

	snprintf(text, sizeof(text), "%.63s", given);
	slash = strchr(text, '/');
	if (slash)
		*slash++ = '\0';
	if (!slash || strlen(slash) != 2 || slash[0] != '2' || slash[1] < '4' || slash[1] > '9' ||
	    !parse_address(text, &r->subnet))
		return err_set(e, "subnet: '%.40s' is not ADDRESS/24 to ADDRESS/29", given);
	r->prefix = 20 + (unsigned)(slash[1] - '0');
	if (r->subnet & ~mask(r->prefix))
		return err_set(e, "subnet: '%.40s' has bits set after the prefix", given);
	for (const struct network_range *s = network_special_ranges; s->text; s++)
		if (s->for_subnets && (r->subnet & mask(s->prefix)) == s->first)
			return 0;
	return err_set(e, "subnet: '%.40s' must lie in 10/8, 100.64/10, 172.16/12 or 192.168/16",
		       given);
}

static int take_rate(struct network_rule *r, const char *text, struct err *e)
{
	static const char units[] = "KMG";
	uint64_t value = 0;
	const char *p = text;
	const char *unit;

	for (; *p >= '0' && *p <= '9' && value < RATE_MAX; p++)
		value = value * 10 + (uint64_t)(*p - '0');
	unit = *p ? strchr(units, *p) : NULL;
	if (unit && p > text && p[1] == '\0')
		for (const char *u = units; u <= unit; u++)
			value *= KIB;
	else if (*p || p == text)
		return err_set(e, "rate: '%.40s' is not bytes a second (examples: 512K, 8M)", text);
	if (value < RATE_MIN || value > RATE_MAX)
		return err_set(e, "rate: '%.40s' is out of range, 16K to 1G", text);
	r->rate = value;
	return 0;
}

static int name_is_plain(const char *name)
{
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static int check_service_address(const struct network_rule *r, const struct network_service *s,
				 struct err *e)
{
	uint32_t a = s->address;

	if (a >> 24 == 0 || a >> 24 == 127 || a >> 29 == 7)
		return err_set(e, "address: is nobody's: 0/8, 127/8 or multicast");
	if ((a & mask(r->prefix)) == r->subnet && a != network_rule_gateway(r))
		return err_set(
			e, "address: is in the subnet, where only the gateway's (the first) can "
			   "be a service");
	return 0;
}

static int take_service(struct network_rule *r, const struct service *given, struct err *e)
{
	struct network_service *s = &r->services[r->nservices];

	snprintf(s->name, sizeof(s->name), "%s", given->name);
	if (!name_is_plain(s->name))
		return err_set(e, "name: '%s' must be of a-z, 0-9 and '-'", s->name);
	for (size_t i = 0; i < r->nservices; i++)
		if (strcmp(r->services[i].name, s->name) == 0)
			return err_set(e, "name: '%s' is there twice", s->name);
	if (!parse_address(given->address, &s->address))
		return err_set(e, "address: '%.40s' is not an IPv4 address such as 10.0.0.7",
			       given->address);
	if (given->port < 1 || given->port > 65535)
		return err_set(e, "port: %d is not 1 to 65535", given->port);
	s->port = (uint16_t)given->port;
	s->protocol = given->protocol;
	r->nservices++;
	return check_service_address(r, s, e);
}

static int take_file(struct network_rule *r, const struct file *f, const char *name, struct err *e)
{
	if (strcmp(f->name, name) != 0)
		return err_set(e, "name: is '%s', must be '%s' as the file's", f->name, name);
	if (!name_is_plain(f->name))
		return err_set(e, "name: '%s' must be of a-z, 0-9 and '-'", f->name);
	snprintf(r->name, sizeof(r->name), "%s", f->name);
	r->groups = f->groups == YES;
	r->world = f->world == YES;
	r->rate = RATE;
	r->connections = CONNECTIONS;
	if (f->connections && (*f->connections < 1 || *f->connections > CONNECTIONS_MAX))
		return err_set(e, "connections: %d is not 1 to %d", *f->connections,
			       CONNECTIONS_MAX);
	if (f->connections)
		r->connections = (unsigned)*f->connections;
	if (take_subnet(r, f->subnet, e) < 0 || (f->rate && take_rate(r, f->rate, e) < 0))
		return -1;
	for (unsigned i = 0; i < f->services_count; i++)
		if (take_service(r, &f->services[i], e) < 0)
			return err_wrap(e, "services[%u]", i);
	return 0;
}

int network_rule_parse(struct network_rule *r, const char *text, size_t len, const char *name,
		       struct err *e)
{
	struct file *f = rule_file_parse(&file_schema, text, len, e);
	int status;

	if (!f)
		return -1;
	status = take_file(r, f, name, e);
	rule_file_free(&file_schema, f);
	return status;
}

int network_rule_load(struct network_rule *r, const char *dir, const char *name, struct err *e)
{
	char path[4096];
	size_t len;

	*r = (struct network_rule){0};
	snprintf(path, sizeof(path), "%s/%s.yaml", dir, name);
	if (io_read_file(path, TEXT_MAX, &r->text, &len, e) < 0)
		return -1;
	if (network_rule_parse(r, r->text, len, name, e) < 0) {
		network_rule_release(r);
		return err_wrap(e, "%s", path);
	}
	return 0;
}

void network_rule_release(struct network_rule *r)
{
	free(r->text);
	*r = (struct network_rule){0};
}

uint32_t network_rule_gateway(const struct network_rule *r)
{
	return r->subnet + 1;
}

uint32_t network_rule_address(const struct network_rule *r, unsigned cell)
{
	return r->subnet + 2 + cell;
}

unsigned network_rule_cells(const struct network_rule *r)
{
	return (1U << (32 - r->prefix)) - 3;
}

int network_rule_leads_out(const struct network_rule *r)
{
	for (size_t i = 0; i < r->nservices; i++)
		if (r->services[i].address != network_rule_gateway(r))
			return 1;
	return r->world;
}
