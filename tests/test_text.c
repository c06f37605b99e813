#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <unistd.h>

#include "judge/text.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "proto/wire.h"

#define BAD "\xef\xbf\xbd"

Test(text, what_is_neither_text_nor_harmless_is_replaced)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} cases[] = {
		{"", 0, ""},
		{"plain\ttext\n", 11, "plain\ttext\n"},
		{"a\r\nb\rc\r", 7, "a\nb" BAD "c" BAD},
		{"a\0b", 3, "a" BAD "b"},
		{"\x1b[2J\x07", 5, BAD "[2J" BAD},
		{"\x7f", 1, BAD},
		{"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", 15,
		 "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"\xc2\x9b"
		 "31m",
		 5, BAD "31m"}, /* CSI as one character */
		{"\xc2\xa0", 2, "\xc2\xa0"},
		{"a\xe2\x80\xae"
		 "b\xe2\x81\xa9\xe2\x80\xa8",
		 11, "a" BAD "b" BAD BAD}, /* right to left, end of an isolate, a line separator */
		{"\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa", 12,
		 "\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa"}, /* those beside them */
		{"\xff\xfe", 2, BAD BAD},
		{"\xc3", 1, BAD},
		{"\xe2\x82", 2, BAD BAD},
		{"\xed\xa0\x80", 3, BAD BAD BAD}, /* a surrogate */
		{"\xc0\xaf", 2, BAD BAD},         /* "/" too long */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_FREE char *out = text_clean(cases[i].in, cases[i].len, 1000);

		cr_expect(eq(str, out, (char *)cases[i].out), "case %zu", i);
	}
}

Test(text, is_cut_where_a_character_ends)
{
	static const char euros[] = "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac";

	for (size_t max = 0; max < 12; max++) {
		AUTO_FREE char *out = text_clean(euros, 9, max);
		size_t want = max / 3 * 3;

		cr_expect(eq(sz, strlen(out), want < 9 ? want : 9), "max %zu", max);
	}
	AUTO_FREE char *bad = text_clean("\xff\xff\xff", 3, 8);

	cr_expect(eq(str, bad, BAD BAD));
}

Test(text, any_bytes_become_valid)
{
	unsigned seed = 1;

	for (int round = 0; round < 2000; round++) {
		uint8_t in[64];
		int harmless = 1;

		for (size_t i = 0; i < sizeof(in); i++)
			in[i] = (uint8_t)(rand_r(&seed) >> 7);
		AUTO_FREE char *out = text_clean(in, sizeof(in), 100);
		size_t len = strlen(out);

		cr_assert(le(sz, len, 100));
		cr_assert(eq(sz, wire_utf8_prefix((const uint8_t *)out, len), len));
		for (size_t i = 0; i < len; i++)
			harmless &= (uint8_t)out[i] >= 0x20 || out[i] == '\n' || out[i] == '\t';
		cr_assert(eq(int, harmless, 1));
	}
}

Test(text, of_a_file_wherever_its_offset_is)
{
	AUTO_FREE char *whole = NULL;
	AUTO_FREE char *start = NULL;
	struct err e;
	AUTO_CLOSE int fd = io_memfd_of("0123456\xc3\xbc", 9, &e);

	lseek(fd, 5, SEEK_SET);
	cr_assert(zero(int, text_clean_fd(fd, 100, &whole, &e)));
	cr_expect(eq(str, whole, "0123456\xc3\xbc"));
	cr_assert(zero(int, text_clean_fd(fd, 8, &start, &e)));
	cr_expect(eq(str, start, "0123456"));
}
