#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <time.h>

#include "judge/validator.h"
#include "proto/err.h"
#include "proto/scope.h"

static struct validator_flags parse(const char *text)
{
	char copy[200];
	const char *words[16];
	size_t n = 0;
	char *rest = copy;
	struct validator_flags flags;
	struct err e = {0};

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " "))
		if (*word)
			words[n++] = word;
	words[n] = NULL;
	cr_assert(zero(int, validator_flags_parse(words, &flags, &e)), "%s: %s", text, e.msg);
	return flags;
}

struct row {
	const char *flags, *answer, *output;
	int accepted;
};

static void check(const struct row *r)
{
	struct validator_flags flags = parse(r->flags);
	char message[VALIDATOR_MESSAGE_MAX];
	int got = validator_compare(&flags, r->answer, strlen(r->answer), r->output,
				    strlen(r->output), message);

	cr_expect(eq(int, got, r->accepted), "[%s] '%s' against '%s': %s", r->flags, r->answer,
		  r->output, message);
	cr_expect(got == (message[0] == '\0'), "a message exactly when it is wrong");
}

Test(validator, compares_as_the_format_says)
{
	static const struct row rows[] = {
		{"", "", "", 1},
		{"", "", " \n\t\r\v\f", 1},
		{"", "1 2 3\n", "1 2 3\n", 1},
		{"", "1 2 3\n", "1\n2   3", 1},
		{"", "1 2 3", "1 2", 0},
		{"", "1 2", "1 2 3", 0},
		{"", "1 2", "2 1", 0},
		{"", "", "x", 0},
		{"", "x", "", 0},
		{"", "Yes", "yES", 1},
		{"", "ab", "abc", 0},
		{"", "abc", "ab", 0},
		{"", "1.0", "1", 0},
		{"", "1", "01", 0},
		{"case_sensitive", "Yes", "yes", 0},
		{"case_sensitive", "Yes", "Yes", 1},
		{"space_change_sensitive", "1 2\n", "1 2\n", 1},
		{"space_change_sensitive", "1 2\n", "1 2", 0},
		{"space_change_sensitive", "1 2", "1 2\n", 0},
		{"space_change_sensitive", "1 2", "1  2", 0},
		{"space_change_sensitive", "1 2", "1\t2", 0},
		{"space_change_sensitive", " 1", "1", 0},
		{"space_change_sensitive", "1", " 1", 0},
		{"space_change_sensitive", "A b", "a B", 1},
		{"space_change_sensitive case_sensitive", "A b", "a b", 0},
		{"float_tolerance 1e-6", "1.0", "1", 1},
		{"float_tolerance 1e-6", "1.0", "1.0000005", 1},
		{"float_tolerance 1e-6", "1.0", "1.00001", 0},
		{"float_tolerance 1e-6", "1000000", "1000000.5", 1},
		{"float_tolerance 1e-6", "1000000", "1000002", 0},
		{"float_absolute_tolerance 0.1", "1000", "1000.05", 1},
		{"float_absolute_tolerance 0.1", "1000", "1000.2", 0},
		{"float_relative_tolerance 0.1", "1000", "1099", 1},
		{"float_relative_tolerance 0.1", "1000", "1101", 0},
		{"float_relative_tolerance 0.1", "0", "0.0", 1},
		{"float_relative_tolerance 0.1", "0", "1e-300", 0},
		{"float_relative_tolerance 0.1", "-10", "-10.5", 1},
		{"float_relative_tolerance 0.1", "-10", "10", 0},
		{"float_tolerance 0", "1.50", "+15e-1", 1},
		{"float_tolerance 0", "1.5", "1.5000000000000001", 1}, /* the same double */
		{"float_tolerance 0", "1.5", "1.5000000001", 0},
		{"float_tolerance 1e-6", "1.5", "1.5x", 0},
		{"float_tolerance 1e-6", "1.5", "abc", 0},
		{"float_tolerance 1e-6", "1.5", "nan", 0},
		{"float_tolerance 1e-6", "1.5", "inf", 0},
		{"float_tolerance 1e-6", "1.5", "1e999", 0},
		{"float_tolerance 1e-6", "nan", "NaN", 1}, /* words */
		{"float_tolerance 1e-6", "inf", "inf", 1},
		{"float_tolerance 1e-6", "1e999", "1e999", 1},
		{"float_tolerance 1e-6", "0x10", "16", 0},
		{"float_tolerance 1e-6", "16", "0x10", 0},
		{"float_tolerance 1e-6", "yes", "YES", 1},
		{"float_tolerance 1e-6", "1", ".", 0},
		{"float_tolerance 1e-6", ".5", "0.5", 1},
		{"float_tolerance 1e-6", "5.", "5", 1},
		{"float_tolerance 1e-6", "5", "5e", 0},
		{"float_tolerance 1e-6", "5", "5e+", 0},
		{"float_tolerance 1e-6", "5", "--5", 0},
		{"float_tolerance 1e-6", "0", "-0", 1},
		{"float_tolerance 1e-6", "0", "1e-99999999999999999999", 1},
		{"float_tolerance 1e-6 float_absolute_tolerance 1", "10", "11",
		 1}, /* the last counts */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(&rows[i]);
}

Test(validator, says_where_and_why)
{
	static const struct {
		const char *flags, *answer, *output, *message;
	} rows[] = {
		{"", "1 2\n5\n", "1 2\n7\n", "token 3, line 2: expected '5', got '7'"},
		{"", "1 2", "1", "token 2, line 1: expected '2', got the end of the output"},
		{"", "1", "1\n\n2", "token 2, line 3: expected the end of the output, got '2'"},
		{"", "a", "b\x1b[2J'\"\xff",
		 "token 1, line 1: expected 'a', got 'b\\x1b[2J\\x27\\x22\\xff'"},
		{"float_tolerance 1", "1", "9",
		 "token 1, line 1: expected '1', got '9', which is too far off"},
		{"float_tolerance 1", "1", "x",
		 "token 1, line 1: expected '1', got 'x', which is not a number"},
		{"space_change_sensitive", "1\n2", "1 2",
		 "line 1: white space differs: expected the end of the line, got a space"},
		{"space_change_sensitive", "1\n", "1",
		 "line 1: white space differs: expected the end of the line, got the end of the "
		 "output"},
		{"space_change_sensitive", "1", "1\t",
		 "line 1: white space differs: expected the end of the output, got a tab"},
	};
	char message[VALIDATOR_MESSAGE_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct validator_flags flags = parse(rows[i].flags);

		cr_expect(zero(int,
			       validator_compare(&flags, rows[i].answer, strlen(rows[i].answer),
						 rows[i].output, strlen(rows[i].output), message)));
		cr_expect(eq(str, message, (char *)rows[i].message));
	}
}

Test(validator, nul_bytes_are_bytes)
{
	struct validator_flags flags = parse("case_sensitive");
	char message[VALIDATOR_MESSAGE_MAX];

	cr_expect(zero(int, validator_compare(&flags, "ab", 2, "ab\0c", 4, message)));
	cr_expect(eq(str, message, "token 1, line 1: expected 'ab', got 'ab\\x00c'"));
	cr_expect(zero(int, validator_compare(&flags, "5", 1, "5\0", 2, message)));
	cr_expect(eq(int, validator_compare(&flags, "a\0b", 3, "a\0b", 3, message), 1));
}

Test(validator, long_tokens_are_cut_in_the_message)
{
	struct validator_flags flags = parse("");
	char message[VALIDATOR_MESSAGE_MAX], big[5000];

	memset(big, '\x01', sizeof(big));
	cr_expect(zero(int, validator_compare(&flags, "1", 1, big, sizeof(big), message)));
	cr_expect(lt(sz, strlen(message), 200));
	cr_expect(ne(ptr, strstr(message, "...'"), NULL));
}

/* Digits without end: exact to the last bit where it decides, and never more than a look at each. */
Test(validator, very_long_numbers_are_exact)
{
	static char one[300000], two[300000];
	struct validator_flags flags = parse("float_tolerance 0");
	char message[VALIDATOR_MESSAGE_MAX];
	int len;

	memset(one, '0', sizeof(one));
	memcpy(one, "0.", 2);
	one[200000] = '1'; /* 10^-199999 * 10^199999 = 1 */
	len = snprintf(one + 200001, 20, "e199999");
	cr_expect(eq(int, validator_compare(&flags, "1", 1, one, 200001 + (size_t)len, message), 1),
		  "%s", message);

	/* 1 + 2^-53 lies halfway between two doubles and goes down; one more digit far behind it goes up */
	len = snprintf(one, sizeof(one), "1.00000000000000011102230246251565404236316680908203125");
	cr_expect(eq(int, validator_compare(&flags, "1", 1, one, (size_t)len, message), 1));
	memset(one + len, '0', sizeof(one) - (size_t)len);
	one[sizeof(one) - 1] = '1';
	cr_expect(zero(int, validator_compare(&flags, "1", 1, one, sizeof(one), message)));
	cr_expect(eq(int,
		     validator_compare(&flags, "1.0000000000000002220446049250313", 33, one,
				       sizeof(one), message),
		     1));

	memset(two, '9', sizeof(two));
	cr_expect(zero(int, validator_compare(&flags, "1", 1, two, sizeof(two), message)));
	memset(two, '0', sizeof(two));
	two[sizeof(two) - 1] = '7';
	cr_expect(eq(int, validator_compare(&flags, "7", 1, two, sizeof(two), message), 1));
}

/* Whatever the bytes: equal texts are accepted, and white space between tokens never matters without the flag. */
Test(validator, random_texts_have_the_properties)
{
	static const char *const flags[] = {"", "case_sensitive", "float_tolerance 1e-9",
					    "space_change_sensitive"};
	unsigned seed = 12345;
	char text[256], spaced[1024], message[VALIDATOR_MESSAGE_MAX];

	for (int round = 0; round < 20000; round++) {
		struct validator_flags f = parse(flags[round % 4]);
		size_t len = (size_t)rand_r(&seed) % sizeof(text), n = 0;

		for (size_t i = 0; i < len; i++) {
			static const char often[] = "0123456789.eE+- \n\taAbB";

			text[i] = rand_r(&seed) % 8
					  ? often[(size_t)rand_r(&seed) % (sizeof(often) - 1)]
					  : (char)rand_r(&seed);
		}
		cr_assert(eq(int, validator_compare(&f, text, len, text, len, message), 1), "%s",
			  message);
		if (f.space_change_sensitive)
			continue;
		for (size_t i = 0; i < len; i++) {
			spaced[n++] = text[i];
			if (strchr(" \n\t\v\f\r", text[i]) && text[i])
				n += (size_t)snprintf(spaced + n, 3, "%s",
						      rand_r(&seed) % 2 ? " " : "\n\r");
		}
		cr_assert(eq(int, validator_compare(&f, text, len, spaced, n, message), 1), "%s",
			  message);
		spaced[n++] = ' ';
		spaced[n++] = 'x';
		cr_assert(zero(int, validator_compare(&f, text, len, spaced, n, message)));
	}
}

Test(validator, flags_that_are_wrong_are_named)
{
	static const struct {
		const char *words[4], *message;
	} rows[] = {
		{{"case_insensitive"}, "unknown flag \"case_insensitive\""},
		{{"float_tolerance"}, "float_tolerance: expected a number"},
		{{"float_tolerance", "-1"}, "float_tolerance: expected a number"},
		{{"float_tolerance", "nan"}, "float_tolerance: expected a number"},
		{{"float_relative_tolerance", "1e-6x"},
		 "float_relative_tolerance: expected a number"},
		{{"float_absolute_tolerance", "case_sensitive"},
		 "float_absolute_tolerance: expected a number"},
		{{"1e-6"}, "unknown flag \"1e-6\""},
		{{"a\nb"}, "unknown flag \"a\\x0ab\""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct validator_flags flags;
		struct err e = {0};

		cr_expect(eq(int, validator_flags_parse(rows[i].words, &flags, &e), -1));
		cr_expect(zero(int, strncmp(e.msg, rows[i].message, strlen(rows[i].message))), "%s",
			  e.msg);
	}
}
