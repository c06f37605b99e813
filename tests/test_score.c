#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "judge/score.h"
#include "proto/scope.h"

static struct score of(const char *text)
{
	struct score s;

	cr_assert(zero(int, score_parse(text, strlen(text), &s)), "%s", text);
	return s;
}

static const char *text_of(struct score s)
{
	static char out[4][SCORE_TEXT_MAX];
	static unsigned turn;
	char *to = out[turn++ % 4];

	score_format(s, to);
	return to;
}

Test(score, numbers_are_read_and_written)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"0", "0"},
		{"-0", "0"},
		{"+7", "7"},
		{"007.50", "7.5"},
		{".5", "0.5"},
		{"5.", "5"},
		{"-.25", "-0.25"},
		{"1e3", "1000"},
		{"1E+3", "1000"},
		{"12.5e-1", "1.25"},
		{"0.001e3", "1"},
		{"100", "100"},
		{"0.1", "0.1"},
		{"0.000000001", "0.000000001"},
		{"0.0000000004", "0"},
		{"0.0000000005", "0.000000001"},
		{"-0.0000000005", "-0.000000001"},
		{"66.66666666666667", "66.666666667"},
		{"33.333333333333336", "33.333333333"},
		{"0.9999999999", "1"},
		{"99999.9999999999", "100000"},
		{"1000000000000000000", "1000000000000000000"},
		{"000000000000000000000000000000000000000000012", "12"},
		{"1.000000000000000000000000000000000000000000001", "1"},
		{"1e-100000000000000000000", "0"},
		{"0e100000000000000000000", "0"},
		{"1230000000000000000000000e-20", "12300"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect(eq(str, (char *)text_of(of(rows[i].in)), (char *)rows[i].out), "%s",
			  rows[i].in);
}

Test(score, what_is_no_number_is_refused)
{
	static const char *const rows[] = {
		"",
		".",
		"-",
		"+-1",
		"1 ",
		" 1",
		"1,5",
		"0x10",
		"inf",
		"nan",
		"1e",
		"1e+",
		"e5",
		"1.2.3",
		"--1",
		"1e5x",
		"1e19",
		"1e99999999999999999999",
		"1000000000000000000.000000001",
		"1_000",
	};
	struct score s;
	char longest[1002];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect(eq(int, score_parse(rows[i], strlen(rows[i]), &s), -1), "%s", rows[i]);
	memset(longest, '0', sizeof(longest));
	cr_expect(zero(int, score_parse(longest, 1000, &s)));
	cr_expect(eq(int, score_parse(longest, 1001, &s), -1));
	cr_expect(eq(int, score_parse("1\0002", 3, &s), -1));
}

Test(score, sums_are_exact)
{
	struct score sum = {0};

	for (int i = 0; i < 10; i++)
		sum = score_add(sum, of("0.1"));
	cr_expect(zero(int, score_cmp(sum, score_of(1))));
	cr_expect(gt(int, score_cmp(of("0.000000001"), of("0")), 0));
	cr_expect(lt(int, score_cmp(of("-1"), of("-0.5")), 0));
}

Test(score, division_rounds_half_away_from_zero)
{
	cr_expect(eq(str, (char *)text_of(score_over(score_of(100), 3)), "33.333333333"));
	cr_expect(eq(str, (char *)text_of(score_over(score_of(200), 3)), "66.666666667"));
	cr_expect(eq(str, (char *)text_of(score_over(score_of(-200), 3)), "-66.666666667"));
	cr_expect(eq(str, (char *)text_of(score_over(of("0.000000001"), 2)), "0.000000001"));
	cr_expect(eq(str, (char *)text_of(score_part(score_of(100), of("0.125"))), "12.5"));
	cr_expect(eq(str, (char *)text_of(score_part(score_of(7), of("1"))), "7"));
}

Test(score, the_largest_sums_fit)
{
	struct score s = score_times(score_times(SCORE_MAX, 10000), 10000);

	cr_expect(zero(int, score_cmp(score_over(score_over(s, 10000), 10000), SCORE_MAX)));
	cr_expect(zero(int, score_cmp(score_part(SCORE_MAX, score_of(1)), SCORE_MAX)));
	cr_expect(eq(str, (char *)text_of(s), "100000000000000000000000000"));
}
