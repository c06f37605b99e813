#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "judge/answers.h"
#include "judge/compile.h"
#include "judge/problem.h"
#include "proto/scope.h"

static struct problem_case tests[] = {
	{.name = "sample/1"},
	{.name = "secret/1"},
	{.name = "secret/2"},
	{.name = "secret/tiny/a-b"},
	{.name = "secret/tiny/odd.out"},
};

static const struct problem squares = {.cases = tests, .ncases = ARRAY_LEN(tests)};

static void expect_file(size_t test, const char *name)
{
	const struct compile_source files[] = {{.name = name}};

	for (size_t t = 0; t < ARRAY_LEN(tests); t++) {
		const struct compile_source *found = answers_find(&squares, t, files, 1);

		cr_expect(eq(int, found == &files[0], t == test), "%s for %s", name, tests[t].name);
	}
}

Test(answers, a_file_is_named_after_its_test)
{
	static const struct {
		const char *file;
		size_t test;
	} rows[] = {
		{"2.out", 2},
		{"2.ans", 2},
		{"secret-1.out", 1},
		{"sample-1.out", 0},
		{"a-b.out", 3},
		{"secret-tiny-a-b.ans", 3},
		{"odd.out.out", 4},
		{"1.out", SIZE_MAX},
		{"2", SIZE_MAX},
		{".out", SIZE_MAX},
		{"2.txt", SIZE_MAX},
		{"3.out", SIZE_MAX},
		{"secret-2", SIZE_MAX},
		{"secret-2.out.out", SIZE_MAX},
		{"tiny-a-b.out", SIZE_MAX},
		{"odd.out", SIZE_MAX},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect_file(rows[i].test, rows[i].file);
}

Test(answers, what_does_not_fit_is_told)
{
	static const struct {
		struct compile_source files[2];
		size_t n;
		const char *why;
	} rows[] = {
		{{{.name = "2.out"}, {.name = "sample-1.out"}}, 2, ""},
		{{{.name = "a.py"}}, 1, "a.py: expected the output for a test, in a file TEST.out"},
		{{{.name = "1.out"}},
		 1,
		 "1.out: several tests are called that; their whole names are like secret-1.out"},
		{{{.name = "2.out"}, {.name = "7.out"}}, 2, "7.out: there is no such test"},
		{{{.name = "2.out"}, {.name = "secret-2.ans"}},
		 2,
		 "2.out and secret-2.ans are both for test secret/2"},
	};
	char why[256];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		why[0] = '\0';
		cr_expect(eq(int, answers_fit(&squares, rows[i].files, rows[i].n, why, sizeof(why)),
			     rows[i].why[0] == '\0'));
		cr_expect(eq(str, why, (char *)rows[i].why));
	}
}
