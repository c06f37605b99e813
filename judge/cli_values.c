/* What options stand for: names of enums, moments. */
#include <ctype.h>
#include <sys/random.h>
#include <time.h>

#include "judge/cli.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

int cli_enum(const char *option, const char *text, const ProtobufCEnumDescriptor *type)
{
	char name[64];
	const ProtobufCEnumValue *v;

	if (!text)
		return 0;
	snprintf(name, sizeof(name), "%s", text);
	for (char *p = name; *p; p++)
		if (*p == '-')
			*p = '_';
		else
			*p = (char)toupper((unsigned char)*p);
	v = protobuf_c_enum_descriptor_get_value_by_name(type, name);
	if (v && v->value > 0)
		return v->value;
	cli_complain("--%s: \"%s\" is not one of:", option, text);
	for (unsigned i = 0; i < type->n_values; i++)
		if (type->values[i].value > 0)
			fprintf(stderr, "  %s\n", type->values[i].name);
	return -1;
}

/* "15m" and the like: that long ago. */
static int ago(const char *text, int64_t *at_us)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 9 || strlen(text) != digits + 1)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (units[i].letter == text[digits]) {
			*at_us = io_realtime_us() -
				 strtoll(text, NULL, 10) * units[i].seconds * 1000000;
			return *at_us > 0 ? 0 : -1;
		}
	return -1;
}

static int date(const char *text, int64_t *at_us)
{
	static const char *const formats[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
					      "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d"};

	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		struct tm tm = {.tm_isdst = -1};
		const char *rest = strptime(text, formats[i], &tm);
		int utc = rest && strcmp(rest, "Z") == 0;
		time_t at;

		if (!rest || (*rest && !utc))
			continue;
		at = utc ? timegm(&tm) : mktime(&tm);
		if (at <= 0)
			return -1;
		*at_us = (int64_t)at * 1000000;
		return 0;
	}
	return -1;
}

int cli_moment(const char *option, const char *text, int64_t *at_us)
{
	*at_us = 0;
	if (!text || ago(text, at_us) == 0 || date(text, at_us) == 0)
		return 0;
	cli_complain(
		"--%s: \"%s\" is no moment; write 2026-01-31, \"2026-01-31 14:05\" (local time), "
		"2026-01-31T14:05:09Z or how long ago: 90s, 15m, 2h, 3d",
		option, text);
	return -1;
}

int cli_request_id(char id[CLI_REQUEST_ID_SIZE], struct err *e)
{
	uint64_t random[2];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_sys(e, "getrandom");
	snprintf(id, CLI_REQUEST_ID_SIZE, "%016llx%016llx", (unsigned long long)random[0],
		 (unsigned long long)random[1]);
	return 0;
}
