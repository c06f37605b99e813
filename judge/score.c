#include "judge/score.h"

#include <string.h>

#define TEXT_MAX 1000 /* bytes of a number that is read */

/* A number while it is read: the digits that count, as they stand, and where the point is in them. */
struct reader {
	const char *at, *end;
	char digits[TEXT_MAX];
	size_t n;
	long point; /* digits before it; negative: zeros between it and the first digit */
};

static int is_digit(const struct reader *r)
{
	return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

/* Leading zeros do not count: they only move the point when it has been passed. */
static size_t read_digits(struct reader *r, int behind_point)
{
	size_t seen = 0;

	for (; is_digit(r); r->at++, seen++) {
		if (r->n == 0 && *r->at == '0') {
			r->point -= behind_point;
			continue;
		}
		r->digits[r->n++] = *r->at;
		r->point += !behind_point;
	}
	return seen;
}

static int read_significand(struct reader *r)
{
	size_t seen = read_digits(r, 0);

	if (r->at < r->end && *r->at == '.') {
		r->at++;
		seen += read_digits(r, 1);
	}
	return seen > 0 ? 0 : -1;
}

static int read_exponent(struct reader *r)
{
	long value = 0;
	int minus = 0;

	if (r->at == r->end)
		return 0;
	if (*r->at != 'e' && *r->at != 'E')
		return -1;
	r->at++;
	if (r->at < r->end && (*r->at == '+' || *r->at == '-'))
		minus = *r->at++ == '-';
	if (!is_digit(r))
		return -1;
	for (; is_digit(r); r->at++)
		if (value < 100000) /* far beyond what any digits can bring back */
			value = value * 10 + (*r->at - '0');
	r->point += minus ? -value : value;
	return r->at == r->end ? 0 : -1;
}

/* The digits up to the ninth behind the point; the one after them rounds. */
static int compose(const struct reader *r, struct score *out)
{
	long count = r->point + SCORE_DIGITS;
	score_wide value = 0;

	if (r->n == 0 || count < 0) {
		*out = (struct score){0};
		return 0;
	}
	if (r->point > 19)
		return -1;
	for (long i = 0; i < count; i++)
		value = value * 10 + ((size_t)i < r->n ? r->digits[i] - '0' : 0);
	if ((size_t)count < r->n && r->digits[count] >= '5')
		value++;
	out->nano = value;
	return value <= SCORE_MAX.nano ? 0 : -1;
}

int score_parse(const char *text, size_t len, struct score *out)
{
	struct reader r = {.at = text, .end = text + len};
	int minus = 0;

	if (len == 0 || len > TEXT_MAX)
		return -1;
	if (*r.at == '+' || *r.at == '-')
		minus = *r.at++ == '-';
	if (read_significand(&r) < 0 || read_exponent(&r) < 0 || compose(&r, out) < 0)
		return -1;
	if (minus)
		out->nano = -out->nano;
	return 0;
}

int score_cmp(struct score a, struct score b)
{
	return (a.nano > b.nano) - (a.nano < b.nano);
}

struct score score_add(struct score a, struct score b)
{
	return (struct score){a.nano + b.nano};
}

struct score score_times(struct score a, size_t n)
{
	return (struct score){a.nano * (score_wide)n};
}

static struct score divide(score_wide a, score_wide n)
{
	score_wide half = a < 0 ? -(n / 2) : n / 2;

	return (struct score){(a + half) / n};
}

struct score score_over(struct score a, size_t n)
{
	return divide(a.nano, (score_wide)n);
}

struct score score_part(struct score a, struct score part)
{
	return divide(a.nano * part.nano, SCORE_ONE);
}

void score_format(struct score s, char *out)
{
	char digits[SCORE_TEXT_MAX];
	score_wide value = s.nano < 0 ? -s.nano : s.nano;
	size_t n = sizeof(digits) - 1;
	int count = 0;

	digits[n] = '\0';
	/* from the last digit to the first; a zero is only kept behind one that is not */
	for (; value > 0 || count <= SCORE_DIGITS; value /= 10, count++) {
		char digit = (char)('0' + (int)(value % 10));

		if (count == SCORE_DIGITS && digits[n] != '\0')
			digits[--n] = '.';
		if (count >= SCORE_DIGITS || digit != '0' || digits[n] != '\0')
			digits[--n] = digit;
	}
	if (s.nano < 0)
		digits[--n] = '-';
	memcpy(out, digits + n, sizeof(digits) - n);
}
