/* testdata.yaml, test_group.yaml and what problem.yaml says of scores. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <unistd.h>

#include "judge/problem.h"
#include "judge/tally.h"
#include "proto/err.h"
#include "proto/scope.h"
#include "tests/package_fixture.h"

#define NEW_YAML "problem_format_version: 2025-09\nname: Demo\nuuid: 1\nlimits:\n  time_limit: 2\n"

static void put_test(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "demo/data/%s.in", name);
	put(path, "1\n");
	snprintf(path, sizeof(path), "demo/data/%s.ans", name);
	put(path, "1\n");
}

static void put_tests(void)
{
	put_test("sample/1");
	put_test("secret/a/1");
	put_test("secret/a/2");
	put_test("secret/b/1");
	put("demo/submissions/accepted/a.c", "int main(void) {}\n");
}

static void put_legacy(void)
{
	put("demo/problem.yaml", "type: scoring\n");
	put("demo/.timelimit", "1\n");
	put_tests();
}

static void put_pass_fail(void)
{
	put_legacy();
	put("demo/problem.yaml", "name: Demo\n");
}

static void put_new(void)
{
	put("demo/problem.yaml", NEW_YAML "type: scoring\n");
	put_tests();
	put("demo/data/secret/a/test_group.yaml", "max_score: 40\n");
	put("demo/data/secret/b/test_group.yaml", "max_score: 60\n");
}

static void put_new_pass_fail(void)
{
	put("demo/problem.yaml", NEW_YAML);
	put_tests();
}

static void read_demo(struct problem *p)
{
	struct err e = {0};

	cr_assert(zero(int, problem_read(at("demo"), p, &e)), "%s", e.msg);
}

static const struct problem_group *group(const struct problem *p, const char *name)
{
	for (size_t i = 0; i < p->ngroups; i++)
		if (strcmp(p->groups[i].name, name) == 0)
			return &p->groups[i];
	cr_assert(zero(int, 1), "no group %s", name);
	return NULL;
}

static const char *text(struct score s)
{
	static char out[4][SCORE_TEXT_MAX];
	static unsigned turn;
	char *to = out[turn++ % 4];

	score_format(s, to);
	return to;
}

TestSuite(groups, .init = make_root, .fini = remove_root);

Test(groups, what_no_file_says)
{
	struct problem p;

	put_legacy();
	read_demo(&p);
	cr_expect(eq(int, (int)p.kind, PROBLEM_SCORING));
	for (size_t i = 0; i < p.ngroups; i++) {
		const struct problem_group *g = &p.groups[i];

		cr_expect(eq(int, g->grading, PROBLEM_GRADED));
		cr_expect(eq(int, g->score_mode, PROBLEM_SUM));
		cr_expect(eq(int, g->verdict_mode, PROBLEM_WORST_ERROR));
		cr_expect(zero(int, g->go_on | g->ignore_sample | g->accept_any));
		cr_expect(zero(int, g->has_low | g->has_high));
		cr_expect(eq(str, (char *)text(g->accept_score), "1"));
		cr_expect(eq(str, (char *)text(g->reject_score), "0"));
	}
	problem_release(&p);
}

Test(groups, what_legacy_files_say_holds_further_down)
{
	struct problem p;
	const struct problem_group *g;

	put_legacy();
	put_test("secret/a/deep/1");
	put("demo/data/testdata.yaml",
	    "on_reject: continue\ngrader_flags: ignore_sample first_error min\nrange: -5 1e2\n"
	    "accept_score: 2.5\nreject_score: -.5\n");
	put("demo/data/secret/a/testdata.yaml",
	    "on_reject: break\ngrader_flags: always_accept sum worst_error accept_if_any_accepted "
	    "avg\nrange: 0 +inf\n");
	put("demo/data/secret/a/deep/testdata.yaml", "accept_score: 7\nrange: -inf inf\n");
	read_demo(&p);
	g = group(&p, "");
	cr_expect(eq(int, g->go_on & g->ignore_sample, 1));
	cr_expect(eq(int, g->score_mode, PROBLEM_MIN));
	cr_expect(eq(int, g->verdict_mode, PROBLEM_FIRST_ERROR));
	cr_expect(eq(int, g->has_low & g->has_high, 1));
	cr_expect(eq(str, (char *)text(g->low), "-5"));
	cr_expect(eq(str, (char *)text(g->high), "100"));
	g = group(&p, "secret/b"); /* all but the sample's being ignored */
	cr_expect(eq(int, g->go_on, 1));
	cr_expect(zero(int, g->ignore_sample));
	cr_expect(eq(int, g->score_mode, PROBLEM_MIN));
	cr_expect(eq(str, (char *)text(g->accept_score), "2.5"));
	cr_expect(eq(str, (char *)text(g->reject_score), "-0.5"));
	g = group(&p, "secret/a"); /* the last one of two modes counts */
	cr_expect(zero(int, g->go_on));
	cr_expect(eq(int, g->accept_any, 1));
	cr_expect(eq(int, g->score_mode, PROBLEM_AVG));
	cr_expect(eq(int, g->verdict_mode, PROBLEM_WORST_ERROR));
	cr_expect(eq(int, g->has_low, 1));
	cr_expect(zero(int, g->has_high));
	g = group(&p, "secret/a/deep");
	cr_expect(eq(int, g->score_mode, PROBLEM_AVG));
	cr_expect(zero(int, g->has_low | g->has_high));
	cr_expect(eq(str, (char *)text(g->accept_score), "7"));
	cr_expect(eq(str, (char *)text(g->reject_score), "-0.5"));
	problem_release(&p);
}

Test(groups, a_grader_of_the_package)
{
	struct problem p;

	put_legacy();
	put("demo/graders/grade.py", "x");
	put("demo/data/secret/testdata.yaml", "grading: custom\ngrader_flags: half of 5\n");
	put("demo/data/secret/b/testdata.yaml", "grading: default\ngrader_flags: max\n");
	read_demo(&p);
	cr_expect(eq(sz, p.grader.nsources, 1));
	cr_expect(eq(int, group(&p, "")->grading, PROBLEM_GRADED));
	cr_expect(eq(int, group(&p, "secret")->grading, PROBLEM_CUSTOM));
	cr_expect(eq(int, group(&p, "secret/a")->grading, PROBLEM_CUSTOM));
	cr_expect(eq(str, group(&p, "secret/a")->args[2], "5"));
	cr_expect(eq(int, group(&p, "secret/b")->grading, PROBLEM_GRADED));
	cr_expect(eq(int, group(&p, "secret/b")->score_mode, PROBLEM_MAX));
	problem_release(&p);
}

Test(groups, what_problem_yaml_says_of_scores)
{
	struct problem p;
	char best[SCORE_TEXT_MAX];

	put_legacy();
	put("demo/problem.yaml", "type: scoring\nvalidation: custom interactive score\n"
				 "grading: {objective: min, show_test_data_groups: true}\n");
	put("demo/output_validators/v.py", "x");
	put("demo/data/testdata.yaml", "range: 3 50\n");
	read_demo(&p);
	cr_expect(eq(int, (int)p.kind, PROBLEM_SCORING | PROBLEM_INTERACTIVE));
	cr_expect(eq(int, p.custom &p.custom_score &p.minimize &p.show_groups, 1));
	tally_best(&p, best);
	cr_expect(eq(str, best, "3"));
	problem_release(&p);
}

Test(groups, what_2025_09_says_without_files)
{
	struct problem p;
	char best[SCORE_TEXT_MAX];

	put_new();
	read_demo(&p);
	for (size_t i = 0; i < p.ngroups; i++)
		cr_expect(eq(int, p.groups[i].grading, PROBLEM_SCORED));
	cr_expect(eq(int, group(&p, "sample")->score_mode, PROBLEM_PASS_FAIL));
	cr_expect(eq(int, group(&p, "secret")->score_mode, PROBLEM_SUM));
	cr_expect(eq(str, (char *)text(group(&p, "secret")->high), "100"));
	cr_expect(eq(int, group(&p, "secret/a")->score_mode, PROBLEM_PASS_FAIL));
	cr_expect(eq(str, (char *)text(group(&p, "secret/a")->high), "40"));
	tally_best(&p, best);
	cr_expect(eq(str, best, "100"));
	problem_release(&p);
}

Test(groups, what_files_of_2025_09_say)
{
	struct problem p;
	char best[SCORE_TEXT_MAX];

	put_new();
	put("demo/output_validator/v.py", "x");
	put("demo/data/secret/test_group.yaml",
	    "max_score: unbounded\nscore_aggregation: min\nrequire_pass: sample\n");
	put("demo/data/secret/b/test_group.yaml",
	    "max_score: unbounded\nscore_aggregation: sum\nrequire_pass: [sample, secret/a]\n");
	put_test("secret/b/folder/2"); /* only a folder, no group */
	read_demo(&p);
	cr_expect(eq(int, group(&p, "secret")->score_mode, PROBLEM_MIN));
	cr_expect(zero(int, group(&p, "secret")->has_high));
	cr_expect(eq(sz, group(&p, "secret")->nrequires, 1));
	cr_expect(eq(int, group(&p, "secret/b")->score_mode, PROBLEM_SUM));
	cr_expect(zero(int, group(&p, "secret/b")->has_high));
	cr_assert(eq(sz, group(&p, "secret/b")->nrequires, 2));
	cr_expect(eq(str, p.groups[group(&p, "secret/b")->requires[0]].name, "sample"));
	cr_expect(eq(str, p.groups[group(&p, "secret/b")->requires[1]].name, "secret/a"));
	cr_expect(eq(sz, p.ngroups, 5));
	cr_expect(eq(str, p.cases[4].name, "secret/b/folder/2"));
	cr_expect(eq(str, p.groups[p.cases[4].group].name, "secret/b"));
	tally_best(&p, best);
	cr_expect(eq(str, best, ""));
	problem_release(&p);
}

Test(groups, the_manifest_says_it_all_again)
{
	static void (*const packages[])(void) = {put_legacy, put_new};

	for (size_t i = 0; i < ARRAY_LEN(packages); i++) {
		struct problem p, q;
		struct err e = {0};
		AUTO_FREE char *one = NULL;
		AUTO_FREE char *two = NULL;

		packages[i]();
		if (i == 0) {
			put("demo/graders/grade.py", "x");
			put("demo/data/secret/testdata.yaml",
			    "grading: custom\ngrader_flags: a b\nrange: -1.5 inf\n");
		} else {
			put("demo/data/secret/b/test_group.yaml",
			    "max_score: 60\nrequire_pass: [sample, secret/a]\n");
		}
		read_demo(&p);
		free(p.grader.language); /* as if it had been built */
		p.grader.language = i == 0 ? strdup("python3") : NULL;
		one = problem_to_manifest(&p);
		cr_assert(zero(int, problem_from_manifest(one, &q, &e)), "%s", e.msg);
		two = problem_to_manifest(&q);
		cr_expect(eq(str, one, two));
		problem_release(&p);
		problem_release(&q);
		remove_root();
		make_root();
	}
}

/* A file that makes a package wrong, and what is said of it. */
struct wrong {
	void (*package)(void);
	const char *path, *content, *message;
};

Test(groups, errors_name_file_line_and_what_is_right)
{
	static const struct wrong rows[] = {
		/* problem.yaml */
		{put_legacy, "problem.yaml", "type: scored\n",
		 "problem.yaml:1: type: expected pass-fail or scoring"},
		{put_legacy, "problem.yaml", "problem_format_version: legacy-icpc\ntype: scoring\n",
		 "problem.yaml:2: type: legacy-icpc does not have it, expected "
		 "problem_format_version: "
		 "legacy"},
		{put_legacy, "problem.yaml", "validation: custom score\n",
		 "problem.yaml:1: validation: score belongs to problems of type: scoring"},
		{put_legacy, "problem.yaml", "type: pass-fail\n\ngrading: {objective: max}\n",
		 "problem.yaml:3: grading: belongs to problems of type: scoring"},
		{put_legacy, "problem.yaml", "type: scoring\ngrading:\n  objective: most\n",
		 "problem.yaml:3: objective: expected max or min"},
		{put_legacy, "problem.yaml", "type: scoring\ngrading:\n  on_reject: grade\n",
		 "problem.yaml:3: unknown key \"on_reject\""},
		{put_legacy, "problem.yaml",
		 "type: scoring\ngrading: {show_test_data_groups: perhaps}\n",
		 "problem.yaml:2: show_test_data_groups: expected true or false"},
		{put_new, "problem.yaml", NEW_YAML "type: [scoring, pass-fail]\n",
		 "problem.yaml:6: type: pass-fail does not go with the others"},
		{put_new, "problem.yaml", NEW_YAML "type: scoring\ngrading: {objective: max}\n",
		 "problem.yaml:7: unknown key \"grading\""},
		/* testdata.yaml */
		{put_legacy, "data/testdata.yaml", "on_reject: stop\n",
		 "data/testdata.yaml:1: on_reject: expected break or continue"},
		{put_legacy, "data/testdata.yaml", "grading: mine\n",
		 "data/testdata.yaml:1: grading: expected default or custom"},
		{put_legacy, "data/secret/testdata.yaml", "\ngrading: custom\n",
		 "data/secret/testdata.yaml:2: grading: custom, but there is no program in "
		 "graders"},
		{put_legacy, "data/secret/testdata.yaml", "grader_flags: min median\n",
		 "data/secret/testdata.yaml:1: grader_flags: median: expected worst_error, "
		 "first_error or always_accept, sum, avg, min or max, accept_if_any_accepted, "
		 "ignore_sample"},
		{put_legacy, "data/secret/testdata.yaml", "grader_flags: ignore_sample\n",
		 "data/secret/testdata.yaml:1: grader_flags: ignore_sample belongs into "
		 "data/testdata.yaml"},
		{put_legacy, "data/testdata.yaml", "grader_flags: ignore_sample\n",
		 "data/testdata.yaml:1: grader_flags: ignore_sample needs on_reject: continue, or "
		 "a wrong sample would end the judging before data/secret"},
		{put_legacy, "data/testdata.yaml",
		 "grader_flags: ignore_sample\non_reject: break\n",
		 "data/testdata.yaml:2: on_reject: ignore_sample needs on_reject: continue, or "
		 "a wrong sample would end the judging before data/secret"},
		{put_legacy, "data/secret/a/testdata.yaml", "accept_score: ten\n",
		 "data/secret/a/testdata.yaml:1: accept_score: expected a number, like 10 or 0.5"},
		{put_legacy, "data/secret/a/testdata.yaml", "reject_score: [1]\n",
		 "data/secret/a/testdata.yaml:1: reject_score: expected text"},
		{put_legacy, "data/secret/a/testdata.yaml", "reject_score: 1e400\n",
		 "data/secret/a/testdata.yaml:1: reject_score: expected a number, like 10 or 0.5"},
		{put_legacy, "data/secret/a/testdata.yaml", "range: 5\n",
		 "data/secret/a/testdata.yaml:1: range: expected two numbers, like 0 100 or -inf "
		 "+inf"},
		{put_legacy, "data/secret/a/testdata.yaml", "range: 0 5 10\n",
		 "data/secret/a/testdata.yaml:1: range: expected two numbers, like 0 100 or -inf "
		 "+inf"},
		{put_legacy, "data/secret/a/testdata.yaml", "range: inf 0\n",
		 "data/secret/a/testdata.yaml:1: range: expected two numbers, like 0 100 or -inf "
		 "+inf"},
		{put_legacy, "data/secret/a/testdata.yaml", "range: 10 9.5\n",
		 "data/secret/a/testdata.yaml:1: range: the first number is greater than the "
		 "second"},
		{put_pass_fail, "data/secret/a/testdata.yaml", "on_reject: continue\nrange: 0 1\n",
		 "data/secret/a/testdata.yaml:2: range: belongs to problems of type: scoring"},
		{put_pass_fail, "data/secret/a/testdata.yaml", "accept_score: 1\n",
		 "data/secret/a/testdata.yaml:1: accept_score: belongs to problems of type: "
		 "scoring"},
		{put_pass_fail, "data/secret/a/testdata.yaml", "reject_score: 1\n",
		 "data/secret/a/testdata.yaml:1: reject_score: belongs to problems of type: "
		 "scoring"},
		{put_legacy, "data/secret/a/testdata.yaml", "max_score: 5\n",
		 "data/secret/a/testdata.yaml:1: unknown key \"max_score\""},
		{put_legacy, "data/secret/empty/", "", "data/secret/empty: there is no test"},
		{put_legacy, "graders/two.py", "x",
		 "graders: holds 2 programs, expected one (put the files of one into a folder of "
		 "their own)"},
		/* test_group.yaml */
		{put_new, "graders/two.py", "x",
		 "graders: belongs to the legacy format; in 2025-09 test_group.yaml says how "
		 "scores are added up"},
		{put_new, "data/secret/test_group.yaml", "max_score: lots\n",
		 "data/secret/test_group.yaml:1: max_score: expected a whole number, not negative, "
		 "or unbounded"},
		{put_new, "data/secret/test_group.yaml", "max_score: -1\n",
		 "data/secret/test_group.yaml:1: max_score: expected a whole number, not negative, "
		 "or unbounded"},
		{put_new, "data/secret/test_group.yaml", "max_score: 0.5\n",
		 "data/secret/test_group.yaml:1: max_score: expected a whole number, not negative, "
		 "or unbounded"},
		{put_new, "data/secret/test_group.yaml", "max_score: ''\n",
		 "data/secret/test_group.yaml:1: max_score: expected a whole number, not negative, "
		 "or unbounded"},
		{put_new, "data/secret/test_group.yaml", "score_aggregation: avg\n",
		 "data/secret/test_group.yaml:1: score_aggregation: expected pass-fail, sum or "
		 "min"},
		{put_new, "data/secret/a/test_group.yaml", "score_aggregation: sum\n",
		 "data/secret/a/test_group.yaml: max_score: expected a number: only when "
		 "data/secret is unbounded, its groups may be"},
		{put_new, "data/secret/a/test_group.yaml", "max_score: unbounded\n",
		 "data/secret/a/test_group.yaml:1: max_score: expected a number: the group is all "
		 "or nothing (score_aggregation: pass-fail)"},
		{put_new, "data/secret/c/1.in", "",
		 "data/secret/c: max_score: expected a number: the group is all or nothing "
		 "(score_aggregation: pass-fail)"},
		{put_new, "data/secret/test_group.yaml",
		 "score_aggregation: pass-fail\nmax_score: unbounded\n",
		 "data/secret/test_group.yaml:2: max_score: expected a number: the group is all or "
		 "nothing (score_aggregation: pass-fail)"},
		{put_new, "data/secret/b/test_group.yaml",
		 "max_score: 60\nrequire_pass: [secret/c]\n",
		 "data/secret/b/test_group.yaml:2: require_pass: expected sample or the name of a "
		 "group that comes before this one, like secret/1"},
		{put_new, "data/secret/b/test_group.yaml",
		 "max_score: 60\nrequire_pass: secret/b\n",
		 "data/secret/b/test_group.yaml:2: require_pass: expected sample or the name of a "
		 "group that comes before this one, like secret/1"},
		{put_new, "data/secret/b/test_group.yaml", "max_score: 60\nrequire_pass: secret\n",
		 "data/secret/b/test_group.yaml:2: require_pass: expected sample or the name of a "
		 "group that comes before this one, like secret/1"},
		{put_new, "data/secret/b/test_group.yaml", "max_score: 60\nrequire_pass: {a: b}\n",
		 "data/secret/b/test_group.yaml:2: require_pass: expected sample or the name of a "
		 "group that comes before this one, like secret/1"},
		{put_new, "data/secret/test_group.yaml", "require_pass: secret/a\n",
		 "data/secret/test_group.yaml:1: require_pass: expected sample or the name of a "
		 "group that comes before this one, like secret/1"},
		{put_new, "data/sample/test_group.yaml", "max_score: 0\n",
		 "data/sample/test_group.yaml:1: max_score: has no place in data/sample, which "
		 "gives no score"},
		{put_new, "data/sample/test_group.yaml", "require_pass: []\n",
		 "data/sample/test_group.yaml:1: require_pass: has no place in data/sample, which "
		 "gives no score"},
		{put_new, "data/test_group.yaml", "max_score: 5\n",
		 "data/test_group.yaml: only data/sample, data/secret and the folders in "
		 "data/secret have this file"},
		{put_new, "data/secret/a/folder/test_group.yaml", "max_score: 5\n",
		 "data/secret/a/folder/test_group.yaml: only data/sample, data/secret and the "
		 "folders in data/secret have this file"},
		{put_new, "data/secret/a/test_group.yaml",
		 "max_score: 40\nstatic_validation_score: 5\n",
		 "data/secret/a/test_group.yaml:2: static_validation_score: not supported yet"},
		{put_new, "data/secret/a/test_group.yaml", "max_score: 40\non_reject: break\n",
		 "data/secret/a/test_group.yaml:2: unknown key \"on_reject\""},
		{put_new, "data/secret/a/1/", "",
		 "data/secret/a/1: is a folder and a test (1.in), expected one of the two"},
		{put_new, "data/secret/a/test_group.in", "",
		 "data/secret/a/test_group.in: no test has this name, as test_group.yaml is the "
		 "file of its group"},
		{put_new, "data/secret/empty/test_group.yaml", "max_score: 5\n",
		 "data/secret/empty: there is no test"},
		{put_new, "data/sample/folder/1.in", "",
		 "data/sample/folder: only data/secret may have groups of tests"},
		{put_new_pass_fail, "data/secret/test_group.yaml", "max_score: 5\n",
		 "data/secret/test_group.yaml:1: max_score: belongs to problems of type: scoring"},
		{put_new_pass_fail, "data/secret/test_group.yaml", "score_aggregation: sum\n",
		 "data/secret/test_group.yaml:1: score_aggregation: belongs to problems of type: "
		 "scoring"},
		{put_new_pass_fail, "data/secret/a/test_group.yaml", "require_pass: sample\n",
		 "data/secret/a/test_group.yaml:1: require_pass: belongs to problems of type: "
		 "scoring"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char path[128];
		struct problem p;
		struct err e = {0};

		rows[i].package();
		if (strncmp(rows[i].path, "graders/", 8) == 0)
			put("demo/graders/one.py", "x");
		snprintf(path, sizeof(path), "demo/%s", rows[i].path);
		put(path, rows[i].content);
		cr_expect(eq(int, problem_read(at("demo"), &p, &e), -1), "%s: %s", path,
			  rows[i].content);
		cr_expect(eq(str, e.msg, (char *)rows[i].message));
		problem_release(&p);
		remove_root();
		make_root();
	}
}

Test(groups, what_depends_on_more_than_one_file)
{
	struct problem p;
	struct err e = {0};

	put_new();
	put("demo/data/secret/test_group.yaml", "score_aggregation: pass-fail\n");
	put("demo/data/secret/b/test_group.yaml", "max_score: 60\nscore_aggregation: min\n");
	cr_expect(eq(int, problem_read(at("demo"), &p, &e), -1));
	cr_expect(eq(str, e.msg,
		     "data/secret/b/test_group.yaml:2: score_aggregation: expected "
		     "pass-fail, as data/secret has it"));
	problem_release(&p);
	put("demo/data/secret/test_group.yaml", "max_score: unbounded\n");
	put("demo/data/secret/b/test_group.yaml", "score_aggregation: min\n");
	cr_expect(eq(int, problem_read(at("demo"), &p, &e), -1));
	cr_expect(eq(str, e.msg,
		     "data/secret/b: max_score: unbounded, but without a program in "
		     "output_validator nothing gives its tests a score"));
	problem_release(&p);
	put("demo/data/secret/a/test_group.yaml", "max_score: 40\nscore_aggregation: sum\n");
	put("demo/data/secret/b/test_group.yaml", "max_score: 60\nrequire_pass: [secret/a]\n");
	cr_expect(eq(int, problem_read(at("demo"), &p, &e), -1));
	cr_expect(
		eq(str, e.msg,
		   "data/secret/b/test_group.yaml:2: require_pass: secret/a is not all or nothing "
		   "(score_aggregation: pass-fail)"));
	problem_release(&p);
}
