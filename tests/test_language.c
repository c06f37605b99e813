#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sys/stat.h>

#include "judge/language.h"
#include "judge/names.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

/* A rule that is right; tests change a part of it. */
#define HEAD "name: x\ntitle: X\nextensions: [x, xx]\nversion: [/bin/x, -v]\n"
#define COMPILE                                                                                    \
	"compile:\n  command: [/bin/x, -o, '{stem}.out', '{files}', '-m{memory_mb}']\n"            \
	"  policy: compiler\n  time: 1.5s\n  memory: 1G\n  processes: 3\n  output: 64K\n  box: "   \
	"2M\n"
#define RUN "run:\n  command: [/program/x, '{main}']\n  policy: native\n  processes: 4\n"

static int parse(const char *text, struct language *l, struct err *e)
{
	return language_parse("x.yaml", text, strlen(text), l, e);
}

Test(language, rules_of_the_project_are_all_valid)
{
	static const char *const names[] = {"c",          "cpp17",   "cpp20", "go",    "java",
					    "javascript", "python3", "rust",  "kotlin"};
	struct languages all;
	struct err e = {0};

	cr_assert(zero(int, languages_load("rules/languages", &all, &e)), "%s", e.msg);
	for (size_t i = 0; i < all.nbroken; i++)
		cr_expect(0, "%s", all.broken[i].reason);
	cr_expect(ge(sz, all.n, 50));
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		cr_expect(ne(ptr, (void *)languages_find(&all, names[i]), NULL), "%s", names[i]);
	cr_expect(eq(ptr, (void *)languages_find(&all, "whitespace"), NULL));
	languages_release(&all);
}

Test(language, everything_is_read)
{
	struct language l;
	struct err e = {0};

	cr_assert(
		zero(int, parse(HEAD "main: Main.x\nalso: [yy]\nentry: java\n" COMPILE
				     "  env: [A=b, C=]\n  artifacts: [out, 'lib/*']\n" RUN
				     "  time_factor: 1.5\n  time_extra: 20ms\n  memory_extra: 5M\n",
				&l, &e)),
		"%s", e.msg);
	cr_expect(eq(str, l.name, "x"));
	cr_expect(eq(str, l.extensions[1], "xx"));
	cr_expect(eq(ptr, l.extensions[2], NULL));
	cr_expect(eq(str, l.also[0], "yy"));
	cr_expect(eq(str, l.entry, "java"));
	cr_expect(eq(str, l.version[1], "-v"));
	cr_expect(eq(u64, l.compile.time_us, 1500000));
	cr_expect(eq(u64, l.compile.memory_bytes, 1ULL << 30));
	cr_expect(eq(u32, l.compile.processes, 3));
	cr_expect(eq(u64, l.compile.output_bytes, 65536));
	cr_expect(eq(u64, l.compile.box_bytes, 2 << 20));
	cr_expect(eq(str, l.compile.env[1], "C="));
	cr_expect(eq(str, l.compile.artifacts[1], "lib/*"));
	cr_expect(eq(dbl, l.run.time_factor, 1.5));
	cr_expect(eq(u64, l.run.time_extra_us, 20000));
	cr_expect(eq(u64, l.run.memory_extra_bytes, 5 << 20));
	cr_expect(eq(ptr, l.run.env[0], NULL));
	cr_expect(eq(sz, strlen(l.hash), 64));
	cr_expect(zero(int, l.available));
	language_release(&l);
}

Test(language, what_is_not_given_has_its_default)
{
	struct language l;
	struct err e = {0};

	cr_assert(zero(int, parse(HEAD RUN, &l, &e)), "%s", e.msg);
	cr_expect(eq(ptr, l.compile.command, NULL));
	cr_expect(eq(ptr, l.compile.artifacts, NULL));
	cr_expect(eq(ptr, l.main, NULL));
	cr_expect(eq(dbl, l.run.time_factor, 1.0));
	cr_expect(zero(u64, l.run.time_extra_us));
	cr_expect(eq(ptr, language_compile_argv(&l, (const char *[]){"a.x"}, 1, 0, &e), NULL));
	language_release(&l);
}

Test(language, the_hash_is_that_of_the_bytes)
{
	struct language a, b;
	struct err e = {0};

	cr_assert(zero(int, parse(HEAD RUN, &a, &e)));
	cr_assert(zero(int, parse(HEAD RUN "# a comment\n", &b, &e)));
	cr_expect(ne(str, a.hash, b.hash));
	language_release(&a);
	language_release(&b);
}

Test(language, errors_name_the_line_and_what_is_right)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{HEAD RUN "compiel: {}\n",
		 "x.yaml:9: unknown key \"compiel\": did you mean \"compile\"?"},
		{HEAD, "x.yaml:1: key \"run\" is missing"},
		{HEAD "run:\n  policy: a\n  processes: 1\n",
		 "x.yaml:6: run: key \"command\" is missing"},
		{HEAD "run:\n  command: []\n", "x.yaml:6: command: the list is empty"},
		{HEAD "run:\n  command: gcc -O2\n",
		 "x.yaml:6: command: expected a list of texts, like [one, two]"},
		{HEAD "run:\n  command: [gcc]\n  policy: a\n  processes: 1\n",
		 "x.yaml:6: command: expected an absolute path first"},
		{HEAD "run:\n  command: [/gcc, 'a{files}']\n  policy: a\n  processes: 1\n",
		 "x.yaml:6: command: {files} must be an argument of its own"},
		{HEAD "run:\n  command:\n  - /gcc\n  - '{mian}'\n  policy: a\n  processes: 1\n",
		 "x.yaml:8: command: expected {files}, {main}, {stem}, {entry} or {memory_mb} "
		 "after '{'"},
		{HEAD "run:\n  command: [/gcc]\n  policy: a\n  processes: 40000\n",
		 "x.yaml:8: processes: 40000 is too large"},
		{HEAD RUN "  time_factor: 0\n",
		 "x.yaml:9: time_factor: expected more than 0 and at most 100"},
		{HEAD RUN "  time_factor: 1e9\n",
		 "x.yaml:9: time_factor: expected more than 0 and at most 100"},
		{HEAD RUN "  time_factor: fast\n",
		 "x.yaml:9: time_factor: expected a number that is not negative"},
		{HEAD RUN "  time_extra: 1\n",
		 "x.yaml:9: time_extra: expected a time like 500ms, 1.5s or 2m"},
		{HEAD RUN "  env: [PATH]\n", "x.yaml:9: env: expected NAME=value"},
		{HEAD RUN "main: ../x\n", "x.yaml:9: main: \"../x\" is not a source file name: up "
					  "to 100 letters, digits and \"._-+\", "
					  "not starting with one of \".-+\""},
		{HEAD RUN "also: [.y]\n",
		 "x.yaml:9: also: expected letters, digits and '+', without the dot"},
		{HEAD RUN "entry: rust\n",
		 "x.yaml:9: entry: expected java, kotlin, scala, groovy, haxe or erlang"},
		{"name: y\ntitle: X\nextensions: [x]\nversion: [/bin/x]\n" RUN,
		 "x.yaml:1: name: expected that of the file: \"x\""},
		{"name: X\ntitle: X\nextensions: [x]\nversion: [/bin/x]\n" RUN,
		 "x.yaml:1: name: expected lower-case letters, digits, '+', '_' and '-'"},
		{"name: x\ntitle: X\nextensions: [.x]\nversion: [/bin/x]\n" RUN,
		 "x.yaml:3: extensions: expected letters, digits and '+', without the dot"},
		{"name: x\ntitle: X\nextensions: [x]\nversion: [/bin/x, '{main}']\n" RUN,
		 "x.yaml:4: version: takes no placeholders"},
		{HEAD RUN COMPILE "  prepare:\n    command: [/bin/cp, \"{main}\"]\n    file: x\n",
		 "x.yaml:18: command: takes no placeholders"},
		{HEAD RUN COMPILE "  prepare:\n    command: [cp]\n    file: x\n",
		 "x.yaml:18: command: expected an absolute path first"},
		{HEAD RUN COMPILE "  prepare:\n    command: [/bin/cp]\n    file: ../x\n",
		 "x.yaml:19: file: \"../x\" is not a source file name: up to 100 letters, digits "
		 "and "
		 "\"._-+\", not starting with one of \".-+\""},
		{HEAD RUN COMPILE "  prepare:\n    command: [/bin/cp]\n",
		 "x.yaml:18: prepare: key \"file\" is missing"},
		{HEAD RUN COMPILE "  artifacts: [../out]\n",
		 "x.yaml:17: artifacts: expected a path inside the box, like program or classes/*"},
		{"name: x\n\ttitle: X\n",
		 "x.yaml:2: not valid YAML: found a tab character that violates indentation"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct language l;
		struct err e = {0};

		cr_expect(eq(int, parse(rows[i].text, &l, &e), -1), "%s", rows[i].text);
		cr_expect(eq(str, e.msg, (char *)rows[i].message));
		language_release(&l);
	}
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	cr_assert(f != NULL);
	fputs(text, f);
	fclose(f);
}

static void remove_file(const char *dir, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
}

Test(language, a_broken_rule_disables_itself_only)
{
	char dir[] = "/tmp/test_languageXXXXXX";
	struct languages all;
	struct err e = {0};

	cr_assert(mkdtemp(dir) != NULL);
	write_file(dir, "x.yaml", HEAD RUN);
	write_file(dir, "broken.yaml", "name: broken\ntitel: B\n");
	write_file(dir, "notes.txt", "not a rule");
	cr_expect(zero(int, languages_load(dir, &all, &e)), "%s", e.msg);
	cr_expect(eq(sz, all.n, 1));
	cr_expect(eq(str, all.items[0].name, "x"));
	cr_expect(eq(sz, all.nbroken, 1));
	cr_expect(eq(str, all.broken[0].name, "broken"));
	cr_expect(eq(str, all.broken[0].reason,
		     "broken.yaml:2: unknown key \"titel\": did you mean \"title\"?"));
	languages_release(&all);
	remove_file(dir, "x.yaml");
	remove_file(dir, "broken.yaml");
	remove_file(dir, "notes.txt");
	rmdir(dir);
	cr_expect(eq(int, languages_load(dir, &all, &e), -1));
}

static void expect_argv(char **argv, const char *const *want)
{
	size_t i;

	cr_assert(argv != NULL);
	for (i = 0; want[i] && argv[i]; i++)
		cr_expect(eq(str, argv[i], (char *)want[i]));
	cr_expect(eq(ptr, argv[i], NULL));
	cr_expect(eq(ptr, (void *)want[i], NULL));
	language_argv_free(argv);
}

Test(language, commands_are_filled)
{
	static const char *const names[] = {"b.x", "lib.h", "Main.x"};
	struct language l;
	struct err e = {0};

	cr_assert(zero(int, parse(HEAD COMPILE RUN, &l, &e)), "%s", e.msg);
	expect_argv(language_compile_argv(&l, names, 3, 5 << 20, &e),
		    (const char *[]){"/bin/x", "-o", "Main.out", "Main.x", "b.x", "-m5", NULL});
	expect_argv(language_run_argv(&l, names, 3, 1000, &e),
		    (const char *[]){"/program/x", "Main.x", NULL});
	cr_expect(eq(ptr, language_run_argv(&l, names + 1, 1, 1000, &e), NULL));
	language_release(&l);
}

Test(language, placeholders_in_names_stay_text)
{
	static const char *const names[] = {"a{main}.x"};
	struct language l;
	struct err e = {0};

	cr_assert(zero(int, parse(HEAD RUN, &l, &e)));
	expect_argv(language_run_argv(&l, names, 1, 0, &e),
		    (const char *[]){"/program/x", "a{main}.x", NULL});
	language_release(&l);
}

Test(language, the_main_file_is_found_or_the_reason_told)
{
	static const struct {
		const char *names[4];
		int index; /* -1: none */
		const char *message;
	} rows[] = {
		{{"sum.x"}, 0, NULL},
		{{"lib.h", "sum.xx"}, 1, NULL},
		{{"a.x", "main.x"}, 1, NULL},
		{{"MAIN.xx", "a.x"}, 0, NULL},
		{{"a.x", "main.h", "main.x"}, 2, NULL},
		{{"a.h"}, -1, "no file has an extension of x (.x)"},
		{{"x"}, -1, "no file has an extension of x (.x)"},
		{{".x"}, -1, "no file has an extension of x (.x)"},
		{{"a.x", "b.x"},
		 -1,
		 "2 files of x, none of them called main.x: no telling where it begins"},
		{{"main.x", "main.xx"},
		 -1,
		 "2 files of x, several of them called main.x: no telling where it begins"},
	};
	struct language l;
	struct err e = {0};

	cr_assert(zero(int, parse(HEAD RUN, &l, &e)));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = 0, index = 99;
		int rc;

		while (rows[i].names[n])
			n++;
		rc = language_main(&l, rows[i].names, n, &index, &e);
		cr_expect(eq(int, rc, rows[i].index < 0 ? -1 : 0), "row %zu", i);
		if (rc == 0)
			cr_expect(eq(sz, index, (size_t)rows[i].index), "row %zu", i);
		else
			cr_expect(eq(str, e.msg, (char *)rows[i].message));
	}
	language_release(&l);
}

Test(language, unnamed_sources_get_a_name)
{
	struct language l;
	struct err e = {0};
	char name[NAMES_SOURCE_MAX + 1];

	cr_assert(zero(int, parse(HEAD RUN, &l, &e)));
	language_default_name(&l, name, sizeof(name));
	cr_expect(eq(str, name, "main.x"));
	language_release(&l);
	cr_assert(zero(int, parse(HEAD "main: Main.x\n" RUN, &l, &e)));
	language_default_name(&l, name, sizeof(name));
	cr_expect(eq(str, name, "Main.x"));
	language_release(&l);
}

Test(language, files_lead_to_their_language)
{
	struct languages all;
	struct err e = {0};

	cr_assert(zero(int, languages_load("rules/languages", &all, &e)), "%s", e.msg);
	cr_expect(eq(ptr, (void *)languages_by_file(&all, "a.py", 0, &e), NULL));
	cr_expect(eq(str, e.msg, "\"a.py\": no language on this machine has this extension"));
	for (size_t i = 0; i < all.n; i++)
		language_set_found(&all.items[i], "v1", 2);
	cr_expect(eq(str, languages_by_file(&all, "a.py", 0, &e)->name, "python3"));
	cr_expect(eq(ptr, (void *)languages_by_file(&all, "a.cc", 0, &e), NULL));
	cr_expect(eq(str, e.msg, "\"a.cc\": could be cpp20 or cpp23: say which language it is"));
	cr_expect(eq(str, languages_by_file(&all, "a.cc", 1, &e)->name, "cpp20"));
	cr_expect(eq(
		str,
		languages_by_files(&all, (const char *[]){"x.h", "a.c", "main.c"}, 3, 1, &e)->name,
		"c"));
	cr_expect(eq(ptr,
		     (void *)languages_by_files(&all, (const char *[]){"a.c", "b.py"}, 2, 1, &e),
		     NULL));
	cr_expect(eq(str, e.msg, "the files could be c or python3"));
	languages_release(&all);
}

Test(language, codes_of_packages_lead_to_languages)
{
	struct languages all;
	struct err e = {0};

	cr_assert(zero(int, languages_load("rules/languages", &all, &e)), "%s", e.msg);
	for (size_t i = 0; i < all.n; i++)
		language_set_found(&all.items[i], "1", 1);
	cr_expect(eq(int, languages_by_code(&all, "cpp", &e)->preferred, 1));
	cr_expect(eq(str, languages_by_code(&all, "python3", &e)->name, "python3"));
	cr_expect(eq(str, languages_by_code(&all, "cpp17", &e)->name, "cpp17"));
	cr_expect(eq(int, language_has_code(languages_find(&all, "cpp17"), "cpp"), 1));
	cr_expect(eq(int, language_has_code(languages_find(&all, "python3"), "cpp"), 0));
	cr_expect(eq(ptr, (void *)languages_by_code(&all, "apl", &e), NULL));
	cr_expect(eq(str, e.msg, "no language on this machine is called apl"));
	languages_release(&all);
}

Test(language, a_compilers_words_are_made_harmless)
{
	struct language l = {0};

	language_set_found(&l, "\n \t gcc\x1b[31m 12\nCopyright", 26);
	cr_expect(eq(str, l.found, "gcc\\x1b[31m 12"));
	cr_expect(eq(int, l.available, 1));
	language_set_missing(&l, "not there");
	cr_expect(zero(int, l.available));
	cr_expect(eq(str, l.reason, "not there"));
	cr_expect(eq(ptr, l.found, NULL));
	language_release(&l);
}

Test(names, sources)
{
	static const char *const good[] = {"a", "main.cpp", "A_b-c+d.e", "1.c", "_x"};
	static const char *const bad[] = {"",    ".",   "..", ".a",        "-a",
					  "+a",  "a/b", "/a", "../a",      "a\\b",
					  "a b", "a\n", "a*", "a\xc3\xa9", "a:b"};
	char longest[102];
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		cr_expect(zero(int, names_source(good[i], &e)), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_expect(eq(int, names_source(bad[i], &e), -1), "%s", bad[i]);
	memset(longest, 'a', sizeof(longest));
	longest[101] = '\0';
	cr_expect(eq(int, names_source(longest, &e), -1));
	longest[100] = '\0';
	cr_expect(zero(int, names_source(longest, &e)));
}

Test(names, escaping_fits)
{
	char out[16];

	names_escape("a\nb'c", 5, out, sizeof(out));
	cr_expect(eq(str, out, "a\\x0ab\\x27c"));
	names_escape("aaaaaaaaaaaaaaa", 15, out, sizeof(out));
	cr_expect(eq(str, out, "aaaaaaaaaaaaaaa"));
	names_escape("aaaaaaaaaaaaaaaa", 16, out, sizeof(out));
	cr_expect(eq(str, out, "aaaaaaaaaaaa..."));
	names_escape("\n\n\n\n\n", 5, out, sizeof(out));
	cr_expect(eq(str, out, "\\x0a\\x0a\\x0a..."));
	names_escape("", 0, out, sizeof(out));
	cr_expect(eq(str, out, ""));
}
