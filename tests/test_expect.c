#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "judge/expect.h"
#include "judge/pattern.h"
#include "proto/err.h"
#include "proto/judge.pb-c.h"
#include "proto/scope.h"

#define V(name) JUDGE__V1__VERDICT__##name
#define B(name) EXPECT_BIT(V(name))

Test(pattern, matches_names_and_what_is_in_folders)
{
	static const struct {
		const char *pattern, *path;
		int match;
	} rows[] = {
		{"accepted", "accepted/a.py", 1},
		{"accepted", "accepted", 1},
		{"accepted", "accepted_too/a.py", 0},
		{"accepted/*", "accepted/a.py", 1},
		{"accepted/*", "accepted", 0},
		{"*", "accepted/a.py", 1},
		{"*/a.py", "accepted/a.py", 1},
		{"*.py", "accepted/a.py", 0},
		{"*/*.py", "accepted/a.b.py", 1},
		{"*/*.py", "accepted/a.py/x", 1},
		{"*/*.py", "accepted/a.pyc", 0},
		{"secret/*-easy", "secret/01-very-easy", 1},
		{"secret/*-easy", "secret/01-easy-not", 0},
		{"a*b*c", "axxbyybzc", 1},
		{"a*b*c", "axxb/c", 0},
		{"{simple,complex}.py", "complex.py", 1},
		{"wrong_answer/{a,b{1,2}}.{py,cpp}", "wrong_answer/b2.cpp", 1},
		{"wrong_answer/{a,b{1,2}}.{py,cpp}", "wrong_answer/b.cpp", 0},
		{"{,un}fit/*", "unfit/a", 1},
		{"{,un}fit/*", "fit/a", 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = {0};
		char **list = pattern_expand(rows[i].pattern, &e);

		cr_assert(list != NULL, "%s: %s", rows[i].pattern, e.msg);
		cr_expect(eq(int, pattern_match(list, rows[i].path), rows[i].match), "%s %s",
			  rows[i].pattern, rows[i].path);
		pattern_free(list);
	}
}

Test(pattern, what_is_no_pattern_is_refused)
{
	static const struct {
		const char *pattern, *message;
	} rows[] = {
		{"", "the pattern is empty"},
		{"a{b", "a '{' without '}'"},
		{"a{b,{c}", "a '{' without '}'"},
		{"a}b", "a '}' without '{'"},
		{"a/**/b", "a pattern has '*' within a name and braces, no '**', '[' or '?'"},
		{"a[12]", "a pattern has '*' within a name and braces, no '**', '[' or '?'"},
		{"{a,b,c}{a,b,c}{a,b,c}{a,b,c}{a,b,c}{a,b,c}{a,b,c}{a,b,c}",
		 "its braces stand for more than 128 patterns"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = {0};

		cr_expect(eq(ptr, (void *)pattern_expand(rows[i].pattern, &e), NULL));
		cr_expect(eq(str, e.msg, (char *)rows[i].message));
	}
}

/* The rules of a folder. */
static struct expect_rules folder(const char *name, int legacy)
{
	struct expect_rules rules = {NULL, 0};
	struct err e = {0};

	cr_assert(eq(int, expect_folder(name, legacy, &rules, &e), 1), "%s", name);
	return rules;
}

static enum expect_state check(const struct expect_rules *rules, const int *verdicts, size_t n,
			       int verdict, char *why)
{
	static const char *const names[] = {"sample/1", "secret/1-easy", "secret/2-hard"};
	struct expect_run runs[3];

	for (size_t i = 0; i < n; i++)
		runs[i] = (struct expect_run){names[i], verdicts[i], i == 2 ? "found it" : NULL};
	return expect_check(rules, runs, n, verdict, why);
}

Test(expect, folders_speak_of_all_tests)
{
	static const struct {
		const char *folder;
		int legacy;
		int verdicts[2];
		enum expect_state state;
	} rows[] = {
		{"accepted", 0, {V(ACCEPTED), V(ACCEPTED)}, EXPECT_MET},
		{"accepted", 0, {V(ACCEPTED), V(WRONG_ANSWER)}, EXPECT_BROKEN},
		{"wrong_answer", 0, {V(ACCEPTED), V(WRONG_ANSWER)}, EXPECT_MET},
		{"wrong_answer", 0, {V(ACCEPTED), V(OUTPUT_LIMIT_EXCEEDED)}, EXPECT_MET},
		{"wrong_answer", 0, {V(ACCEPTED), V(ACCEPTED)}, EXPECT_OPEN},
		{"wrong_answer", 0, {V(WRONG_ANSWER), V(RUN_TIME_ERROR)}, EXPECT_BROKEN},
		{"time_limit_exceeded",
		 0,
		 {V(WRONG_ANSWER), V(TIME_LIMIT_EXCEEDED)},
		 EXPECT_BROKEN},
		{"time_limit_exceeded", 1, {V(WRONG_ANSWER), V(TIME_LIMIT_EXCEEDED)}, EXPECT_MET},
		{"time_limit_exceeded",
		 1,
		 {V(RUN_TIME_ERROR), V(TIME_LIMIT_EXCEEDED)},
		 EXPECT_BROKEN},
		{"run_time_error", 1, {V(WRONG_ANSWER), V(MEMORY_LIMIT_EXCEEDED)}, EXPECT_MET},
		{"run_time_error", 0, {V(WRONG_ANSWER), V(RUN_TIME_ERROR)}, EXPECT_BROKEN},
		{"brute_force", 0, {V(ACCEPTED), V(TIME_LIMIT_EXCEEDED)}, EXPECT_MET},
		{"brute_force", 0, {V(TIME_LIMIT_EXCEEDED), V(WRONG_ANSWER)}, EXPECT_BROKEN},
		{"rejected", 0, {V(ACCEPTED), V(SECURITY_VIOLATION)}, EXPECT_MET},
		{"rejected", 0, {V(ACCEPTED), V(ACCEPTED)}, EXPECT_OPEN},
	};
	char why[EXPECT_WHY_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct expect_rules rules = folder(rows[i].folder, rows[i].legacy);

		cr_expect(eq(int, check(&rules, rows[i].verdicts, 2, 0, why), rows[i].state),
			  "row %zu: %s", i, why);
		expect_release(&rules);
	}
}

Test(expect, only_who_says_so_may_fail_to_compile)
{
	struct expect_rules wrong = folder("wrong_answer", 1), compile = folder("compile_error", 1);
	char why[EXPECT_WHY_MAX];

	cr_expect(eq(int, check(&compile, NULL, 0, V(COMPILE_ERROR), why), EXPECT_MET));
	cr_expect(eq(int, check(&wrong, NULL, 0, V(COMPILE_ERROR), why), EXPECT_BROKEN));
	cr_expect(eq(str, why, "the verdict is CE"));
	cr_expect(
		eq(int, check(&compile, (int[]){V(ACCEPTED)}, 1, V(ACCEPTED), why), EXPECT_BROKEN));
	cr_expect(eq(str, why, "the verdict is AC, expected CE"));
	cr_expect(eq(int, check(&wrong, (int[]){V(JUDGE_ERROR)}, 1, V(JUDGE_ERROR), why),
		     EXPECT_BROKEN));
	expect_release(&wrong);
	expect_release(&compile);
}

Test(expect, times_bound_the_limit)
{
	static const struct {
		const char *folder;
		int legacy, lower, upper;
	} rows[] = {
		{"accepted", 0, 1, 0},
		{"accepted", 1, 1, 0},
		{"wrong_answer", 0, 1, 0},
		{"wrong_answer", 1, 0, 0},
		{"run_time_error", 0, 1, 0},
		{"run_time_error", 1, 0, 0},
		{"time_limit_exceeded", 0, 0, 1},
		{"time_limit_exceeded", 1, 0, 1},
		{"rejected", 0, 0, 0},
		{"brute_force", 0, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct expect_rules rules = folder(rows[i].folder, rows[i].legacy);

		cr_expect(eq(int, expect_bounds(&rules, EXPECT_TIME_LOWER, "secret/1"),
			     rows[i].lower),
			  "%s", rows[i].folder);
		cr_expect(eq(int, expect_bounds(&rules, EXPECT_TIME_UPPER, NULL), rows[i].upper),
			  "%s", rows[i].folder);
		expect_release(&rules);
	}
}

/* Adds what the tags of a text say. */
static int tag(const char *text, struct expect_rules *rules, struct err *e)
{
	return expect_tag("a.c", text, strlen(text), rules, e);
}

Test(expect, tags_of_domjudge)
{
	static const struct {
		const char *text;
		uint32_t set;
	} rows[] = {
		{"// @EXPECTED_RESULTS@: CORRECT\n", B(ACCEPTED)},
		{"/* @expected_results@: wrong-answer, TimeLimit */",
		 0}, /* ends with the line only */
		{"x\n# @EXPECTED_RESULTS@: TIMELIMIT, run-error ,WRONG_ANSWER\r\nrest",
		 B(TIME_LIMIT_EXCEEDED) | B(RUN_TIME_ERROR) | B(WRONG_ANSWER)},
		{"@EXPECTED_RESULTS@: COMPILER-ERROR", B(COMPILE_ERROR)},
		{"@EXPECTED_RESULTS@: NO-OUTPUT", B(WRONG_ANSWER)},
		{"@EXPECTED_RESULTS@: OUTPUT-LIMIT", B(OUTPUT_LIMIT_EXCEEDED)},
		{"@EXPECTED_RESULTS@: CHECK-MANUALLY", ~0U},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct expect_rules rules = {NULL, 0};
		struct err e = {0};
		int found = tag(rows[i].text, &rules, &e);

		cr_expect(eq(int, found, rows[i].set ? 1 : -1), "%s", rows[i].text);
		if (found > 0)
			cr_expect(eq(u32, rules.items[0].verdict, rows[i].set), "%s", rows[i].text);
		expect_release(&rules);
	}
}

Test(expect, tags_that_are_not_there_or_too_many)
{
	struct expect_rules rules = {NULL, 0};
	struct err e = {0};

	cr_expect(zero(int,
		       tag("mail me@EXPECTED_RESULTS or @EXPECTED_RESULTS@ CORRECT", &rules, &e)));
	cr_expect(zero(int, tag("", &rules, &e)));
	cr_expect(
		eq(int, tag("@EXPECTED_RESULTS@: CORRECT\n@EXPECTED_SCORE@: 3\n", &rules, &e), -1));
	cr_expect(eq(str, e.msg, "a.c: more than one @EXPECTED_...@ tag"));
	expect_release(&rules);
	cr_expect(eq(int, tag("@EXPECTED_SCORE@: 2.5\n", &rules, &e), 1));
	cr_expect(eq(int, rules.items[0].has_score, 1));
	expect_release(&rules);
	cr_expect(eq(int, tag("@EXPECTED_SCORE@: many\n", &rules, &e), -1));
	expect_release(&rules);
}

static struct expect_file parse(const char *text)
{
	struct expect_file f;
	struct err e = {0};

	cr_assert(zero(int, expect_file_parse(text, strlen(text), &f, &e)), "%s", e.msg);
	return f;
}

Test(expect, the_file_adds_rules)
{
	struct expect_file f =
		parse("\"*/slow.{py,cpp}\":\n  permitted: [AC, TLE]\n  required: [TLE]\n"
		      "  message: found it\n  language: cpp\n  authors: [A, B]\n"
		      "  model_solution: false\n  use_for_time_limit: false\n"
		      "  sample:\n    permitted: [AC]\n"
		      "  secret/*-hard:\n    required: [TLE]\n");
	struct expect_rules rules = {NULL, 0};
	struct expect_applied more;
	char why[EXPECT_WHY_MAX];
	struct err e = {0};

	cr_assert(zero(int, expect_file_apply(&f, "mixed/slow.cpp", &rules, &more, &e)));
	cr_assert(eq(sz, rules.n, 3));
	cr_expect(eq(str, (char *)more.language, "cpp"));
	cr_expect(eq(int, f.entries[0].used, 1));
	cr_expect(eq(int, expect_wants_all(&rules), 1));
	cr_expect(eq(int, expect_bounds(&rules, EXPECT_TIME_UPPER, "secret/1-easy"), 0));
	cr_expect(eq(int, expect_bounds(&rules, EXPECT_TIME_UPPER, "secret/2-hard"), 1));
	cr_expect(eq(int, expect_bounds(&rules, EXPECT_TIME_LOWER, "sample/1"), 1));
	cr_expect(eq(int,
		     check(&rules, (int[]){V(ACCEPTED), V(ACCEPTED), V(TIME_LIMIT_EXCEEDED)}, 3, 0,
			   why),
		     EXPECT_MET),
		  "%s", why);
	cr_expect(eq(
		int,
		check(&rules, (int[]){V(ACCEPTED), V(TIME_LIMIT_EXCEEDED), V(ACCEPTED)}, 3, 0, why),
		EXPECT_OPEN));
	cr_expect(eq(str, why, "no test of secret/*-hard gets TLE"));
	cr_expect(eq(int, check(&rules, (int[]){V(ACCEPTED), V(TIME_LIMIT_EXCEEDED)}, 2, 0, why),
		     EXPECT_OPEN));
	cr_expect(
		eq(int, check(&rules, (int[]){V(TIME_LIMIT_EXCEEDED)}, 1, 0, why), EXPECT_BROKEN));
	cr_expect(eq(str, why, "TLE on sample/1, where only AC may be"));
	expect_release(&rules);
	cr_assert(zero(int, expect_file_apply(&f, "mixed/fast.cpp", &rules, &more, &e)));
	cr_expect(eq(sz, rules.n, 0));
	expect_file_release(&f);
}

Test(expect, a_folder_named_in_the_file_is_changed_and_a_pattern_adds)
{
	struct expect_file f = parse("time_limit_exceeded: {permitted: [AC, WA, TLE]}\n"
				     "time_limit_exceeded/*: {permitted: [WA, TLE]}\n");
	struct expect_rules rules = folder("time_limit_exceeded", 0);
	struct expect_applied more;
	char why[EXPECT_WHY_MAX];
	struct err e = {0};

	cr_assert(zero(int, expect_file_apply(&f, "time_limit_exceeded/a.py", &rules, &more, &e)));
	cr_expect(eq(int,
		     check(&rules, (int[]){V(WRONG_ANSWER), V(TIME_LIMIT_EXCEEDED)}, 2, 0, why),
		     EXPECT_MET),
		  "%s", why);
	cr_expect(eq(int, check(&rules, (int[]){V(WRONG_ANSWER), V(WRONG_ANSWER)}, 2, 0, why),
		     EXPECT_OPEN));
	cr_expect(eq(int, check(&rules, (int[]){V(ACCEPTED)}, 1, 0, why), EXPECT_BROKEN));
	cr_expect(eq(u32, expect_shown(&rules), B(TIME_LIMIT_EXCEEDED)));
	expect_release(&rules);
	expect_file_release(&f);
}

Test(expect, entries_that_contradict_each_other)
{
	struct expect_file f = parse("accepted: {language: cpp}\naccepted/*: {language: java}\n");
	struct expect_rules rules = {NULL, 0};
	struct expect_applied more;
	struct err e = {0};

	cr_expect(eq(int, expect_file_apply(&f, "accepted/a", &rules, &more, &e), -1));
	cr_expect(eq(str, e.msg,
		     "submissions/submissions.yaml:2: language: says java, another entry cpp"));
	expect_release(&rules);
	expect_file_release(&f);
}

Test(expect, errors_of_the_file_name_the_line)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"a: 1\n", ":1: expected a map of what the submissions must do"},
		{"a:\n  permitted: AC\n",
		 ":2: permitted: expected a list of verdicts, like [AC, TLE]"},
		{"a:\n  permitted: []\n",
		 ":2: permitted: expected a list of verdicts, like [AC, TLE]"},
		{"a:\n  required: [AC,\n  CE]\n",
		 ":3: required: expected some of AC, WA, TLE, RTE"},
		{"a:\n  score: [1]\n", ":2: score: expected a number, or [LEAST, MOST]"},
		{"a:\n  score: inf\n", ":2: score: expected a number, or [LEAST, MOST]"},
		{"a:\n  score: [2, 1]\n", ":2: score: the first number is larger"},
		{"a:\n  use_for_time_limit: maybe\n",
		 ":2: use_for_time_limit: expected true, false, lower or upper"},
		{"a:\n  model_solution: 1\n", ":2: model_solution: expected true or false"},
		{"a:\n  language: [c]\n", ":2: language: expected text"},
		{"a:\n  secret: {language: c}\n", ":2: language: is not for single tests"},
		{"a:\n  'b{': {required: [AC]}\n", ":2: a '{' without '}'"},
		{"'a[b]': {}\n",
		 ":1: a pattern has '*' within a name and braces, no '**', '[' or '?'"},
		{"a: {}\na: {}\n", ":2: key \"a\" is given twice"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct expect_file f;
		struct err e = {0};

		cr_expect(
			eq(int, expect_file_parse(rows[i].text, strlen(rows[i].text), &f, &e), -1));
		cr_assert(gt(sz, strlen(e.msg), strlen("submissions/submissions.yaml")));
		cr_expect(eq(str, e.msg + strlen("submissions/submissions.yaml"),
			     (char *)rows[i].message));
		expect_file_release(&f);
	}
}
