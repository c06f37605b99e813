#include "judge/doc_value.h"

#include <stddef.h>
#include <string.h>

#include "proto/scope.h"

#define NUMBER_MAX 400 /* bytes of a number that is not an exact amount */

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

/* A number as the package formats write it: [sign] digits with at most one point [exponent]. */
struct number {
	uint64_t digits; /* without leading and trailing zeros */
	int exponent;    /* of ten, that digits are to be multiplied with */
	int negative;
};

#define EXPONENT_MAX 400

static const char *read_digits(const char *text, struct number *n, size_t *count)
{
	int zeros = 0, point = 0;

	for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point); text++) {
		if (*text == '.') {
			point = 1;
			continue;
		}
		++*count;
		n->exponent -= point;
		zeros++;
		if (*text == '0')
			continue;
		for (; zeros > 0; zeros--)
			if (__builtin_mul_overflow(n->digits, 10, &n->digits))
				return NULL;
		if (__builtin_add_overflow(n->digits, (uint64_t)(*text - '0'), &n->digits))
			return NULL;
	}
	n->exponent += zeros;
	return text;
}

static const char *read_exponent(const char *text, struct number *n)
{
	int value = 0, minus = text[1] == '-';
	const char *at = text + 1 + (text[1] == '-' || text[1] == '+');

	if (*at < '0' || *at > '9')
		return NULL;
	for (; *at >= '0' && *at <= '9'; at++)
		value = value < EXPONENT_MAX ? value * 10 + (*at - '0') : value;
	n->exponent += minus ? -value : value;
	return at;
}

static int read_number(const char *text, struct number *n)
{
	size_t count = 0;

	*n = (struct number){.negative = *text == '-'};
	text += *text == '-' || *text == '+';
	text = read_digits(text, n, &count);
	if (text && count > 0 && (*text == 'e' || *text == 'E'))
		text = read_exponent(text, n);
	return text && count > 0 && *text == '\0' ? 0 : -1;
}

int doc_value_amount(const char *text, uint64_t scale, uint64_t *out)
{
	struct number n;
	unsigned __int128 value;

	if (read_number(text, &n) < 0 || (n.negative && n.digits > 0))
		return -1;
	value = (unsigned __int128)n.digits * scale;
	for (; n.exponent > 0 && value > 0 && value <= UINT64_MAX; n.exponent--)
		value *= 10;
	for (; n.exponent < 0 && value > 0; n.exponent++) {
		if (value % 10 != 0)
			return -1;
		value /= 10;
	}
	if (value > UINT64_MAX)
		return -1;
	*out = (uint64_t)value;
	return 0;
}

/* Whether the text is of the formats' grammar, which strtod() takes a lot more than. */
static int is_float(const char *text)
{
	size_t digits;
	const char *at = text + (*text == '-' || *text == '+');

	digits = strspn(at, "0123456789");
	at += digits;
	if (*at == '.') {
		size_t more = strspn(++at, "0123456789");

		digits += more;
		at += more;
	}
	if (digits == 0)
		return 0;
	if (*at == 'e' || *at == 'E') {
		at++;
		at += *at == '-' || *at == '+';
		digits = strspn(at, "0123456789");
		at += digits;
	}
	return digits > 0 && *at == '\0';
}

int doc_value_float(const char *text, double *out)
{
	if (strnlen(text, NUMBER_MAX + 1) > NUMBER_MAX || !is_float(text))
		return -1;
	*out = strtod(text, NULL);
	return *out - *out == 0 ? 0 : -1; /* no infinity */
}

int doc_value_number(const char *text, double *out)
{
	return doc_value_float(text, out) < 0 || *out < 0 ? -1 : 0;
}
