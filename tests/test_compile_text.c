#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <unistd.h>

#include "judge/compile.h"
#include "judge/compile_text.h"
#include "judge/entry.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

TestSuite(compile_text, .timeout = 60);

/* As shown of a program whose file solution.java is Main.java to the compiler, and util.java itself. */
static char *shown(const char *printed, size_t len, size_t max)
{
	static char main_name[] = "Main.java", util_name[] = "util.java";
	char *names[] = {main_name, util_name};
	const struct compile_source sources[] = {{"solution.java", "", 0}, {"util.java", "", 0}};
	const struct compile_job job = {.sources = sources, .nsources = 2};
	const struct entry entry = {.names = names, .n = 2};
	struct err e;
	AUTO_CLOSE int fd = io_memfd_of(printed, len, &e);
	char *out;

	cr_assert(ge(int, fd, 0), "%s", e.msg);
	cr_assert(zero(int, compile_text(fd, &job, &entry, max, &out, &e)), "%s", e.msg);
	return out;
}

Test(compile_text, files_have_the_names_that_their_author_gave_them)
{
	static const struct {
		const char *printed, *shown;
	} rows[] = {
		{"", ""},
		{"Main.java:3: error: ';' expected\n", "solution.java:3: error: ';' expected\n"},
		{"/box/Main.java:3\n", "solution.java:3\n"},
		{"file:///box/Main.java:3:1\n", "solution.java:3:1\n"},
		{"in \"/box/util.java\"\n", "in \"util.java\"\n"},
		{"XMain.java Main.javac a/Main.java\n", "XMain.java Main.javac a/Main.java\n"},
		{"/sand/box/x /boxes /box\n", "/sand/box/x /boxes /box\n"},
		{"(Main.java)\n", "(solution.java)\n"},
		{"/tmp/ccE1CTa9.o:a.cpp:function main: error: undefined reference to 'f()'\n",
		 "a.cpp:function main: error: undefined reference to 'f()'\n"},
		{"/usr/bin/ld: /tmp/ccbjbAih.o: in function `main':\n",
		 "ld: in function `main':\n"},
		{"/usr/bin/ld.gold: error: /tmp/ccW0F3k0.o: multiple definition of 'main'\n",
		 "ld: error: multiple definition of 'main'\n"},
		{"bad /tmp/ccW0F3k0.o\n", "bad object file\n"},
		{"/tmp/ccshort.o: /tmp/cc\n", "/tmp/ccshort.o: /tmp/cc\n"},
		{"In file included from /usr/include/c++/12/map:60,\n"
		 "                 from /prepared/bits/stdc++.h:1,\n"
		 "                 from a.cpp:1:\n",
		 "In file included from /usr/include/c++/12/map:60,\n"
		 "                 from a.cpp:1:\n"},
		{"a from /prepared/ b\n", "a from /prepared/ b\n"},
		{" from /prepared/x", ""},
		{"\x1b[31mred\x1b[0m /box/a\r\n", "\xef\xbf\xbd[31mred\xef\xbf\xbd[0m a\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *out = shown(rows[i].printed, strlen(rows[i].printed), 16384);

		cr_expect(eq(str, out, (char *)rows[i].shown));
	}
}

Test(compile_text, what_is_long_is_cut_at_a_line_and_says_so)
{
	static char lines[200000];
	AUTO_FREE char *out = NULL;
	char last[80];
	size_t len;

	for (size_t i = 0; i < sizeof(lines); i++)
		lines[i] = i % 50 == 49 ? '\n' : 'x';
	out = shown(lines, sizeof(lines), 1000);
	len = strlen(out);
	cr_expect(le(sz, len, 1000));
	snprintf(last, sizeof(last), "x\n[cut here: 850 bytes of 200000 are shown]\n");
	cr_expect(eq(str, out + len - strlen(last), last));

	/* What fits is not cut, to the last byte. */
	AUTO_FREE char *whole = shown(lines, 1000, 1000);

	cr_expect(eq(sz, strlen(whole), 1000));
	cr_expect(zero(int, strncmp(whole, lines, 1000)));

	/* One line without an end, of characters that must not be cut in two. */
	for (size_t i = 0; i + 2 < sizeof(lines); i += 3)
		memcpy(lines + i, "\xe2\x82\xac", 3);
	AUTO_FREE char *euros = shown(lines, 120000, 1000);

	cr_expect(le(sz, strlen(euros), 1000));
	cr_expect(eq(int, strncmp(euros + 879, "\n[cut here: 879 bytes", 21), 0), "%.60s",
		  euros + 870);
}
