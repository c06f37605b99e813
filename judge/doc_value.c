#include "judge/doc_value.h"

#include <stddef.h>
#include <string.h>

#include "proto/scope.h"

/* Reads digits; returns how many there were, 0 also on overflow. */
static size_t digits(const char *text, uint64_t *out)
{
	uint64_t value = 0;
	size_t n = 0;

	for (; text[n] >= '0' && text[n] <= '9'; n++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text[n] - '0'), &value))
			return 0;
	*out = value;
	return n;
}

struct unit {
	const char *name;
	uint64_t factor;
};

/* Splits "1.5s" into the number, copied, and the unit. */
static int with_unit(const char *text, const struct unit *units, size_t n, uint64_t *out)
{
	size_t len = strspn(text, "0123456789.");
	char number[32];

	if (len >= sizeof(number))
		return -1;
	memcpy(number, text, len);
	number[len] = '\0';
	for (size_t i = 0; i < n; i++)
		if (strcmp(text + len, units[i].name) == 0)
			return doc_value_amount(number, units[i].factor, out);
	return -1;
}

int doc_value_count(const char *text, uint64_t *out)
{
	size_t len = digits(text, out);

	return len > 0 && text[len] == '\0' ? 0 : -1;
}

int doc_value_size(const char *text, uint64_t *out)
{
	static const struct unit units[] = {{"", 1}, {"K", 1024}, {"M", 1 << 20}, {"G", 1 << 30}};

	return with_unit(text, units, ARRAY_LEN(units), out);
}

int doc_value_duration(const char *text, uint64_t *out)
{
	static const struct unit units[] = {
		{"us", 1}, {"ms", 1000}, {"s", 1000000}, {"m", 60000000}, {"h", 3600000000}};

	return with_unit(text, units, ARRAY_LEN(units), out);
}

int doc_value_amount(const char *text, uint64_t scale, uint64_t *out)
{
	uint64_t value, part = 0, place = 1;
	size_t len = digits(text, &value);

	if (len == 0 || __builtin_mul_overflow(value, scale, &value))
		return -1;
	if (text[len] == '.') {
		if (text[++len] == '\0')
			return -1;
		for (; text[len] >= '0' && text[len] <= '9' && place < 1000000000; len++) {
			part = part * 10 + (uint64_t)(text[len] - '0');
			place *= 10;
		}
		len += strspn(text + len, "0");
	}
	if (text[len] != '\0' || __builtin_mul_overflow(part, scale, &part) || part % place != 0 ||
	    __builtin_add_overflow(value, part / place, &value))
		return -1;
	*out = value;
	return 0;
}

int doc_value_number(const char *text, double *out)
{
	double value = 0, place = 1;
	int points = 0, ndigits = 0;

	if (strnlen(text, 21) > 20)
		return -1;
	for (; *text; text++) {
		if (*text == '.' && points++ == 0)
			continue;
		if (*text < '0' || *text > '9')
			return -1;
		value = value * 10 + (*text - '0');
		place *= points ? 10 : 1;
		ndigits++;
	}
	if (ndigits == 0)
		return -1;
	*out = value / place;
	return 0;
}
