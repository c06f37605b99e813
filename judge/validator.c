#include "judge/validator.h"

#include <math.h>

#include "judge/names.h"
#include "proto/err.h"

/*
 * Digits of a number that are kept.  Halfway cases between two doubles need at most 767 digits (binary64); behind those
 * only "something that is not zero follows" matters, and one digit says that.
 */
#define DIGITS_MAX 780

/* An exponent written larger is not read further: no run of digits in memory could make up for it. */
#define EXPONENT_MAX 1000000000000000

/* How many bytes of each token a message quotes. */
#define QUOTED_MAX 80

struct token {
	const char *text;
	size_t len;
};

struct reader {
	const char *at, *end;
	size_t line; /* of at, from 1 */
};

static int is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* A decimal number as it is read: digits without leading zeros, and where the point belongs. */
struct decimal {
	char digits[DIGITS_MAX + 32]; /* room for the exponent that decimal_value() appends */
	size_t ndigits;
	long exponent; /* value = digits * 10^exponent */
	int any;       /* there was a digit at all */
};

static void decimal_add(struct decimal *d, char digit, int fraction)
{
	d->any = 1;
	if (d->ndigits < DIGITS_MAX) {
		if (d->ndigits > 0 || digit != '0')
			d->digits[d->ndigits++] = digit;
		d->exponent -= fraction;
		return;
	}
	d->exponent += !fraction;
	if (digit != '0' && d->digits[DIGITS_MAX - 1] == '0')
		d->digits[DIGITS_MAX - 1] = '1';
}

/* [eE][+-]?digits up to the end; -1 if that is not what is there. */
static int read_exponent(const char *p, const char *end, long *out)
{
	long value = 0;
	int negative;

	if (p == end)
		return 0;
	if (lower(*p) != 'e' || ++p == end)
		return -1;
	negative = *p == '-';
	p += *p == '-' || *p == '+';
	if (p == end)
		return -1;
	for (; p < end; p++) {
		if (!is_digit(*p))
			return -1;
		if (value < EXPONENT_MAX)
			value = value * 10 + (*p - '0');
	}
	*out = negative ? -value : value;
	return 0;
}

/* strtod(3) of a text that is short and well formed, whatever the token was; digits only, so no locale matters. */
static int decimal_value(struct decimal *d, int negative, double *out)
{
	double value = 0;

	if (d->ndigits > 0) {
		snprintf(d->digits + d->ndigits, sizeof(d->digits) - d->ndigits, "e%ld",
			 d->exponent);
		value = strtod(d->digits, NULL);
	}
	if (!isfinite(value))
		return -1;
	*out = negative ? -value : value;
	return 0;
}

/* 0 and the value if the token is a decimal number that a double can hold. */
static int token_number(struct token t, double *out)
{
	const char *p = t.text, *end = t.text + t.len;
	struct decimal d;
	long exponent = 0;
	int negative, fraction = 0;

	d.ndigits = 0;
	d.exponent = 0;
	d.any = 0;
	if (p == end)
		return -1;
	negative = *p == '-';
	p += *p == '-' || *p == '+';
	for (; p < end && (is_digit(*p) || (*p == '.' && !fraction)); p++) {
		if (*p == '.')
			fraction = 1;
		else
			decimal_add(&d, *p, fraction);
	}
	if (!d.any || read_exponent(p, end, &exponent) < 0)
		return -1;
	d.exponent += exponent;
	return decimal_value(&d, negative, out);
}

static int number_from_word(const char *word, double *out)
{
	struct token t = {word, strlen(word)};

	return token_number(t, out) < 0 || *out < 0 ? -1 : 0;
}

/* "float_tolerance" and its kin; sets those it means from the word behind it. */
static int read_tolerance(const char *const *words, struct validator_flags *out, struct err *e)
{
	int both = strcmp(words[0], "float_tolerance") == 0;
	double value;

	if (!words[1] || number_from_word(words[1], &value) < 0)
		return err_set(e, "%s: expected a number that is not negative behind it", words[0]);
	if (both || strcmp(words[0], "float_absolute_tolerance") == 0)
		out->absolute = value;
	if (both || strcmp(words[0], "float_relative_tolerance") == 0)
		out->relative = value;
	out->floats = 1;
	return 0;
}

static int is_tolerance(const char *word)
{
	return strcmp(word, "float_tolerance") == 0 ||
	       strcmp(word, "float_absolute_tolerance") == 0 ||
	       strcmp(word, "float_relative_tolerance") == 0;
}

int validator_flags_parse(const char *const *words, struct validator_flags *out, struct err *e)
{
	char shown[64];

	*out = (struct validator_flags){.absolute = -1, .relative = -1};
	for (; *words; words++) {
		if (strcmp(*words, "case_sensitive") == 0) {
			out->case_sensitive = 1;
		} else if (strcmp(*words, "space_change_sensitive") == 0) {
			out->space_change_sensitive = 1;
		} else if (is_tolerance(*words)) {
			if (read_tolerance(words++, out, e) < 0)
				return -1;
		} else {
			names_escape(*words, strlen(*words), shown, sizeof(shown));
			return err_set(e,
				       "unknown flag \"%s\": expected case_sensitive, "
				       "space_change_sensitive, "
				       "float_tolerance E, float_absolute_tolerance E or "
				       "float_relative_tolerance E",
				       shown);
		}
	}
	return 0;
}

static void step(struct reader *r)
{
	r->line += *r->at == '\n';
	r->at++;
}

static struct token next_token(struct reader *r)
{
	struct token t = {.text = r->at};

	while (r->at < r->end && !is_space(*r->at))
		r->at++;
	t.len = (size_t)(r->at - t.text);
	return t;
}

/* What a byte of white space is called; at the end of the output there is none. */
static const char *space_name(const struct reader *r)
{
	if (r->at == r->end)
		return "the end of the output";
	switch (*r->at) {
	case ' ':
		return "a space";
	case '\n':
		return "the end of the line";
	case '\t':
		return "a tab";
	case '\r':
		return "a carriage return";
	default:
		return is_space(*r->at) ? "other white space" : "a word";
	}
}

static int fail_space(char *message, const struct reader *answer, const struct reader *output)
{
	snprintf(message, VALIDATOR_MESSAGE_MAX,
		 "line %zu: white space differs: expected %s, got %s", output->line,
		 space_name(answer), space_name(output));
	return 0;
}

/* Passes white space in both; 0 if it had to be the same and is not. */
static int match_space(const struct validator_flags *flags, struct reader *answer,
		       struct reader *output, char *message)
{
	int exact = flags->space_change_sensitive;

	for (; answer->at < answer->end && is_space(*answer->at); step(answer)) {
		if (!exact)
			continue;
		if (output->at == output->end || *output->at != *answer->at)
			return fail_space(message, answer, output);
		step(output);
	}
	if (exact && output->at < output->end && is_space(*output->at))
		return fail_space(message, answer, output);
	while (output->at < output->end && is_space(*output->at))
		step(output);
	return 1;
}

static int same_bytes(const struct validator_flags *flags, struct token a, struct token b)
{
	if (a.len != b.len)
		return 0;
	if (flags->case_sensitive)
		return memcmp(a.text, b.text, a.len) == 0;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.text[i]) != lower(b.text[i]))
			return 0;
	return 1;
}

static int same_token(const struct validator_flags *flags, struct token expected, struct token got,
		      const char **why)
{
	double want, have, difference;

	*why = "";
	if (!flags->floats || token_number(expected, &want) < 0)
		return same_bytes(flags, expected, got);
	if (token_number(got, &have) < 0) {
		*why = ", which is not a number";
		return 0;
	}
	difference = fabs(want - have);
	if (difference <= flags->absolute || difference <= flags->relative * fabs(want))
		return 1;
	*why = ", which is too far off";
	return 0;
}

struct place { /* in the output */
	size_t token, line;
};

static int say(char *message, struct place at, struct token expected, struct token got,
	       const char *why)
{
	static const char none[] = "the end of the output";
	char want[QUOTED_MAX + 2] = "'", have[QUOTED_MAX + 2] = "'";

	names_escape(expected.text, expected.len, want + 1, QUOTED_MAX);
	names_escape(got.text, got.len, have + 1, QUOTED_MAX);
	memcpy(want + strlen(want), "'", 2);
	memcpy(have + strlen(have), "'", 2);
	snprintf(message, VALIDATOR_MESSAGE_MAX, "token %zu, line %zu: expected %s, got %s%s",
		 at.token, at.line, expected.len ? want : none, got.len ? have : none, why);
	return 0;
}

int validator_compare(const struct validator_flags *flags, const char *answer, size_t answer_len,
		      const char *output, size_t output_len, char *message)
{
	struct reader a = {answer, answer + answer_len, 1};
	struct reader o = {output, output + output_len, 1};
	struct token expected, got;
	const char *why = "";
	size_t number = 0;

	message[0] = '\0';
	do {
		number++;
		if (!match_space(flags, &a, &o, message))
			return 0;
		expected = next_token(&a);
		got = next_token(&o);
		if (expected.len == 0 && got.len == 0)
			return 1;
	} while (expected.len && got.len && same_token(flags, expected, got, &why));
	return say(message, (struct place){number, o.line}, expected, got, why);
}
