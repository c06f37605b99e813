#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge/problem.h"
#include "judge/tally.h"
#include "proto/err.h"
#include "proto/scope.h"

#define V(name) JUDGE__V1__VERDICT__##name

enum { ROOT, SAMPLE, SECRET, A, B, C };

static struct problem p;
static struct tally_test given[64];
static struct tally_result shown[64];   /* of the tests */
static struct tally_result results[16]; /* of the groups */
static char judged[256];                /* the tests that were judged: "0 1 2" */

static void group(const char *name, size_t parent, enum problem_grading grading)
{
	p.groups = realloc(p.groups, (p.ngroups + 1) * sizeof(*p.groups));
	p.groups[p.ngroups++] = (struct problem_group){.name = strdup(name),
						       .parent = parent,
						       .grading = grading,
						       .accept_score = score_of(1)};
}

static void tests(size_t of, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		p.cases = realloc(p.cases, (p.ncases + 1) * sizeof(*p.cases));
		given[p.ncases] = (struct tally_test){.verdict = V(ACCEPTED), .said = GRADE_RIGHT};
		p.cases[p.ncases++] = (struct problem_case){.group = of};
	}
}

static void begin(unsigned kind, enum problem_grading grading)
{
	p = (struct problem){.kind = kind, .dir = -1};
	group("", 0, grading);
	group("sample", ROOT, grading);
	group("secret", ROOT, grading);
	p.groups[SECRET].has_high = grading == PROBLEM_SCORED;
	p.groups[SECRET].high = score_of(100);
}

static void begin_new(void)
{
	begin(PROBLEM_SCORING, PROBLEM_SCORED);
	p.groups[SAMPLE].score_mode = PROBLEM_PASS_FAIL;
}

static void bounded(size_t of, enum problem_score_mode mode, int64_t most)
{
	p.groups[of].score_mode = mode;
	p.groups[of].has_high = 1;
	p.groups[of].high = score_of(most);
}

static void requires(size_t of, size_t other)
{
	struct problem_group *g = &p.groups[of];

	g->requires = realloc(g->requires, (g->nrequires + 1) * sizeof(*g->requires));
	g->requires[g->nrequires++] = other;
}

static void fail(size_t test, Judge__V1__Verdict v)
{
	given[test].verdict = v;
	given[test].said = v == V(WRONG_ANSWER) ? GRADE_WRONG : GRADE_NOT_RUN;
}

static void __attribute__((format(printf, 3, 4)))
append(char *out, size_t size, const char *fmt, ...)
{
	size_t len = strlen(out);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out + len, size - len, fmt, ap);
	va_end(ap);
}

static struct {
	char asked[256]; /* the lines of all calls, calls ended by "|" */
	int faults;      /* calls that fail first */
} grader;

/* Accepts when at least half is accepted; a hundred points. */
static int half(void *arg, const struct problem_group *g, const char *lines,
		struct tally_result *out, struct err *e)
{
	size_t n = 0, right = 0;

	(void)arg;
	(void)g;
	if (grader.faults-- > 0)
		return err_set(e, "the cell died");
	append(grader.asked, sizeof(grader.asked), "%s|", lines);
	for (const char *at = lines; *at; at = strchr(at, '\n') + 1, n++)
		right += strncmp(at, "AC ", 3) == 0;
	out->verdict = 2 * right >= n ? V(ACCEPTED) : V(WRONG_ANSWER);
	out->score = score_of(100);
	return 0;
}

static const struct tally_result *run(void)
{
	struct tally *t = tally_new(&p, half, NULL);
	struct err e = {0};
	size_t index;
	int rc;

	judged[0] = '\0';
	memset(shown, 0, sizeof(shown));
	while ((rc = tally_next(t, &index, &e)) != 0) {
		if (rc < 0)
			continue;
		append(judged, sizeof(judged), judged[0] ? " %zu" : "%zu", index);
		tally_add(t, &given[index], &shown[index]);
	}
	for (size_t i = 0; i < p.ngroups; i++)
		results[i] = *tally_group(t, i);
	tally_free(t);
	return &results[ROOT];
}

static void end(void)
{
	for (size_t i = 0; i < p.ngroups; i++) {
		free(p.groups[i].name);
		free(p.groups[i].requires);
	}
	free(p.groups);
	free(p.cases);
	p = (struct problem){.dir = -1};
}

static const char *score_text(const struct tally_result *r)
{
	static char out[4][SCORE_TEXT_MAX];
	static unsigned turn;
	char *to = out[turn++ % 4];

	to[0] = '-';
	to[1] = '\0';
	if (r->has_score)
		score_format(r->score, to);
	return to;
}

static void expect(const struct tally_result *r, Judge__V1__Verdict v, const char *score)
{
	cr_expect(eq(int, (int)r->verdict, (int)v), "%s %s: %s", grade_code(r->verdict),
		  score_text(r), r->message);
	cr_expect(eq(str, (char *)score_text(r), (char *)score));
}

TestSuite(tally, .fini = end);

/* What pass-fail problems always did. */
Test(tally, pass_fail_ends_at_the_first_failure)
{
	begin(0, PROBLEM_GRADED);
	tests(SAMPLE, 1);
	tests(SECRET, 3);
	expect(run(), V(ACCEPTED), "-");
	cr_expect(eq(str, judged, "0 1 2 3"));
	fail(2, V(TIME_LIMIT_EXCEEDED));
	expect(run(), V(TIME_LIMIT_EXCEEDED), "-");
	cr_expect(eq(str, judged, "0 1 2"));
	fail(0, V(WRONG_ANSWER));
	expect(run(), V(WRONG_ANSWER), "-");
	cr_expect(eq(str, judged, "0"));
	cr_expect(zero(int, (int)results[SECRET].verdict));
}

Test(tally, groups_of_pass_fail_problems_can_go_on)
{
	begin(0, PROBLEM_GRADED);
	group("secret/a", SECRET, PROBLEM_GRADED);
	group("secret/b", SECRET, PROBLEM_GRADED);
	p.groups[ROOT].go_on = p.groups[SECRET].go_on = p.groups[A].go_on = 1;
	tests(SAMPLE, 1);
	tests(A, 3);
	tests(B, 2);
	fail(1, V(WRONG_ANSWER));
	fail(2, V(TIME_LIMIT_EXCEEDED));
	fail(4, V(RUN_TIME_ERROR));
	expect(run(), V(RUN_TIME_ERROR), "-");
	cr_expect(eq(str, judged, "0 1 2 3 4"));
	expect(&results[A], V(TIME_LIMIT_EXCEEDED), "-");
	expect(&results[B], V(RUN_TIME_ERROR), "-");
	p.groups[SECRET].verdict_mode = PROBLEM_FIRST_ERROR;
	expect(run(), V(TIME_LIMIT_EXCEEDED), "-");
	p.groups[A].accept_any = 1;
	expect(run(), V(RUN_TIME_ERROR), "-");
	expect(&results[A], V(ACCEPTED), "-");
	p.groups[SECRET].verdict_mode = PROBLEM_ALWAYS_ACCEPT;
	expect(run(), V(ACCEPTED), "-");
	expect(&results[B], V(RUN_TIME_ERROR), "-");
}

Test(tally, the_worst_error_is_by_rank)
{
	static const Judge__V1__Verdict order[] = {
		V(SECURITY_VIOLATION),  V(RUN_TIME_ERROR),        V(MEMORY_LIMIT_EXCEEDED),
		V(TIME_LIMIT_EXCEEDED), V(OUTPUT_LIMIT_EXCEEDED), V(WRONG_ANSWER),
	};

	begin(0, PROBLEM_GRADED);
	p.groups[ROOT].go_on = p.groups[SECRET].go_on = 1;
	tests(SECRET, ARRAY_LEN(order));
	for (size_t worst = 0; worst < ARRAY_LEN(order); worst++) {
		for (size_t i = 0; i < ARRAY_LEN(order); i++)
			fail(i, order[i < worst ? ARRAY_LEN(order) - 1
						: ARRAY_LEN(order) - 1 - i + worst]);
		expect(run(), order[worst], "-");
	}
}

Test(tally, a_judge_error_ends_everything)
{
	begin_new();
	tests(SAMPLE, 1);
	tests(SECRET, 3);
	fail(1, V(WRONG_ANSWER));
	given[2].verdict = V(JUDGE_ERROR);
	expect(run(), V(JUDGE_ERROR), "-");
	cr_expect(eq(str, judged, "0 1 2"));
	expect(&results[SAMPLE], V(ACCEPTED), "-");
	expect(&results[SECRET], V(JUDGE_ERROR), "-");
}

/* Legacy graders: each mode, on scores that a custom validator gave or not. */
Test(tally, the_default_grader_adds_up_in_four_ways)
{
	static const struct {
		enum problem_score_mode mode;
		const char *score;
	} rows[] = {
		{PROBLEM_SUM, "23.5"},
		{PROBLEM_MIN, "0.5"},
		{PROBLEM_MAX, "20"},
		{PROBLEM_AVG, "7.833333333"},
	};

	begin(PROBLEM_SCORING, PROBLEM_GRADED);
	p.custom_score = 1;
	p.groups[ROOT].go_on = p.groups[ROOT].ignore_sample = 1;
	p.groups[SECRET].accept_score = score_of(3);
	tests(SAMPLE, 1);
	tests(SECRET, 3);
	given[1].score_file = "20\n";
	given[2].score_file = " 0.5 ";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		p.groups[SECRET].score_mode = rows[i].mode;
		expect(run(), V(ACCEPTED), rows[i].score);
	}
	cr_expect(eq(str, (char *)score_text(&shown[1]), "20"));
	cr_expect(eq(str, (char *)score_text(&shown[3]), "3"));
	/* the sample may fail */
	fail(0, V(WRONG_ANSWER));
	expect(run(), V(ACCEPTED), "7.833333333");
	p.groups[ROOT].ignore_sample = 0;
	expect(run(), V(WRONG_ANSWER), "-");
}

Test(tally, rejected_tests_have_their_score_and_the_rest_goes_on)
{
	begin(PROBLEM_SCORING, PROBLEM_GRADED);
	p.groups[SECRET].go_on = 1;
	p.groups[SECRET].verdict_mode = PROBLEM_ALWAYS_ACCEPT;
	p.groups[SECRET].accept_score = score_of(10);
	p.groups[SECRET].reject_score = score_of(-1);
	tests(SECRET, 3);
	fail(1, V(WRONG_ANSWER));
	expect(run(), V(ACCEPTED), "19");
	cr_expect(eq(str, judged, "0 1 2"));
	p.groups[SECRET].go_on = 0;
	expect(run(), V(ACCEPTED), "9");
	cr_expect(eq(str, judged, "0 1"));
}

Test(tally, scores_of_a_group_keep_to_its_range)
{
	begin(PROBLEM_SCORING, PROBLEM_GRADED);
	tests(SECRET, 3);
	p.groups[SECRET].has_low = p.groups[SECRET].has_high = 1;
	p.groups[SECRET].low = score_of(3);
	p.groups[SECRET].high = score_of(3);
	expect(run(), V(ACCEPTED), "3");
	p.groups[SECRET].high = score_of(2);
	expect(run(), V(JUDGE_ERROR), "-");
	cr_expect(eq(str, results[ROOT].message,
		     "group secret: the score 3 is not in its range, 3 to 2"));
	p.groups[SECRET].has_low = p.groups[SECRET].has_high = 0;
	p.groups[ROOT].has_low = 1;
	p.groups[ROOT].low = score_of(4);
	expect(run(), V(JUDGE_ERROR), "-");
	cr_expect(eq(str, results[ROOT].message,
		     "group data: the score 3 is not in its range, 4 to +inf"));
	/* a score that does not count cannot be wrong */
	fail(2, V(WRONG_ANSWER));
	expect(run(), V(WRONG_ANSWER), "-");
}

Test(tally, legacy_validators_give_scores_only_where_they_may)
{
	begin(PROBLEM_SCORING, PROBLEM_GRADED);
	tests(SECRET, 1);
	given[0].score_file = "1";
	expect(run(), V(JUDGE_ERROR), "-");
	cr_expect(ne(ptr, strstr(results[ROOT].message, "custom score"), NULL), "%s",
		  results[ROOT].message);
	p.custom_score = 1;
	given[0].score_file = "one";
	expect(run(), V(JUDGE_ERROR), "-");
	cr_expect(eq(str, results[ROOT].message,
		     "the validator's score.txt: expected a decimal number, found \"one\""));
	given[0].score_file = "2";
	fail(0, V(WRONG_ANSWER));
	expect(run(), V(JUDGE_ERROR), "-");
	/* an interactor may have written one before the program broke a limit */
	given[0].verdict = V(TIME_LIMIT_EXCEEDED);
	given[0].said = GRADE_RIGHT;
	expect(run(), V(TIME_LIMIT_EXCEEDED), "-");
	p.kind = 0;
	given[0].verdict = V(ACCEPTED);
	expect(run(), V(ACCEPTED), "-");
}

Test(tally, custom_graders_see_the_results_of_their_group)
{
	begin(PROBLEM_SCORING, PROBLEM_GRADED);
	group("secret/a", SECRET, PROBLEM_CUSTOM);
	group("secret/b", SECRET, PROBLEM_CUSTOM);
	p.groups[SECRET].grading = PROBLEM_CUSTOM;
	p.groups[SECRET].go_on = p.groups[A].go_on = 1;
	tests(A, 3);
	tests(B, 2);
	fail(1, V(MEMORY_LIMIT_EXCEEDED));
	fail(3, V(WRONG_ANSWER));
	grader.faults = 1; /* asked again */
	expect(run(), V(ACCEPTED), "100");
	cr_expect(eq(str, grader.asked, "AC 1\nRTE 0\nAC 1\n|WA 0\n|AC 100\nWA 100\n|"));
	cr_expect(eq(str, judged, "0 1 2 3"));
	expect(&results[B], V(WRONG_ANSWER), "-");
}

Test(tally, a_grader_prints_one_verdict_and_one_score)
{
	static const struct {
		const char *text, *code, *score;
	} rows[] = {
		{"AC 12.5\n", "AC", "12.5"}, {"WA\t-3", "WA", "-3"},
		{"TLE  0 \n\n", "TLE", "0"}, {"RTE 1.", "RTE", "1"},
		{"MLE .5\n", "MLE", "0.5"},  {"OLE 0\n", "OLE", "0"},
		{"JE 0\n", "JE", "0"},
	};
	static const char *const wrong[] = {
		"",     "\n",   "AC",   "AC \n", "12.5",  " AC 1", "AC 1 2", "AC 1\nAC 1",
		"ac 1", "SV 1", "CE 0", "PE 0",  "ACC 1", "AC1",   "AC inf", "AC one",
	};
	Judge__V1__Verdict v;
	struct score s;
	char text[SCORE_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert(zero(int, tally_read_grade(rows[i].text, strlen(rows[i].text), &v, &s)),
			  "%s", rows[i].text);
		score_format(s, text);
		cr_expect(eq(str, (char *)grade_code(v), (char *)rows[i].code));
		cr_expect(eq(str, text, (char *)rows[i].score));
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		cr_expect(eq(int, tally_read_grade(wrong[i], strlen(wrong[i]), &v, &s), -1), "%s",
			  wrong[i]);
}

/* 2025-09 from here on. */
Test(tally, sums_of_thirds_are_whole)
{
	begin_new();
	tests(SAMPLE, 1);
	tests(SECRET, 3);
	expect(run(), V(ACCEPTED), "100");
	cr_expect(eq(str, (char *)score_text(&shown[0]), "-"));
	cr_expect(eq(str, (char *)score_text(&shown[1]), "33.333333333"));
	fail(2, V(WRONG_ANSWER));
	expect(run(), V(WRONG_ANSWER), "66.666666667");
	cr_expect(eq(str, judged, "0 1 2 3"));
	cr_expect(eq(str, (char *)score_text(&shown[2]), "0"));
	fail(0, V(RUN_TIME_ERROR)); /* counts for the verdict, not for the score */
	expect(run(), V(RUN_TIME_ERROR), "66.666666667");
	fail(1, V(WRONG_ANSWER));
	fail(3, V(WRONG_ANSWER));
	expect(run(), V(RUN_TIME_ERROR), "0");
}

Test(tally, groups_are_all_or_nothing_sums_or_minima)
{
	begin_new();
	group("secret/a", SECRET, PROBLEM_SCORED);
	group("secret/b", SECRET, PROBLEM_SCORED);
	group("secret/c", SECRET, PROBLEM_SCORED);
	bounded(A, PROBLEM_PASS_FAIL, 20);
	bounded(B, PROBLEM_SUM, 30);
	bounded(C, PROBLEM_MIN, 50);
	tests(A, 2);
	tests(B, 3);
	tests(C, 2);
	expect(run(), V(ACCEPTED), "100");
	given[2].multiplier_file = "0.5\n";
	given[5].multiplier_file = "0.25";
	expect(run(), V(ACCEPTED), "57.5");
	expect(&results[B], V(ACCEPTED), "25");
	expect(&results[C], V(ACCEPTED), "12.5");
	fail(0, V(WRONG_ANSWER));
	fail(3, V(TIME_LIMIT_EXCEEDED));
	fail(5, V(WRONG_ANSWER));
	given[5].multiplier_file = NULL;
	expect(run(), V(WRONG_ANSWER), "15");
	cr_expect(eq(str, judged, "0 2 3 4 5"));
	expect(&results[A], V(WRONG_ANSWER), "0");
	expect(&results[B], V(TIME_LIMIT_EXCEEDED), "15");
	expect(&results[C], V(WRONG_ANSWER), "0");
	p.groups[SECRET].score_mode = PROBLEM_MIN;
	expect(run(), V(WRONG_ANSWER), "0");
	cr_expect(eq(str, judged, "0"));
}

Test(tally, all_or_nothing_of_everything)
{
	begin_new();
	group("secret/a", SECRET, PROBLEM_SCORED);
	group("secret/b", SECRET, PROBLEM_SCORED);
	bounded(SECRET, PROBLEM_PASS_FAIL, 7);
	bounded(A, PROBLEM_PASS_FAIL, 1);
	bounded(B, PROBLEM_PASS_FAIL, 1);
	tests(A, 2);
	tests(B, 2);
	expect(run(), V(ACCEPTED), "7");
	fail(1, V(WRONG_ANSWER));
	expect(run(), V(WRONG_ANSWER), "0");
	cr_expect(eq(str, judged, "0 1"));
}

Test(tally, a_group_waits_for_those_it_requires)
{
	begin_new();
	group("secret/a", SECRET, PROBLEM_SCORED);
	group("secret/b", SECRET, PROBLEM_SCORED);
	group("secret/c", SECRET, PROBLEM_SCORED);
	bounded(A, PROBLEM_PASS_FAIL, 20);
	bounded(B, PROBLEM_PASS_FAIL, 30);
	bounded(C, PROBLEM_PASS_FAIL, 50);
	tests(SAMPLE, 1);
	tests(A, 1);
	tests(B, 1);
	tests(C, 1);
	requires(B, A);
	requires(C, SAMPLE);
	requires(C, B);
	expect(run(), V(ACCEPTED), "100");
	fail(1, V(WRONG_ANSWER));
	expect(run(), V(WRONG_ANSWER), "0");
	cr_expect(eq(str, judged, "0 1"));
	expect(&results[B], 0, "0");
	cr_expect(eq(str, results[B].message,
		     "not judged: it requires secret/a, which was not passed"));
	cr_expect(eq(str, results[C].message,
		     "not judged: it requires secret/b, which was not passed"));
	fail(0, V(WRONG_ANSWER));
	given[1] = given[2];
	expect(run(), V(WRONG_ANSWER), "50");
	cr_expect(eq(str, judged, "0 1 2"));
	cr_expect(eq(str, results[C].message,
		     "not judged: it requires sample, which was not passed"));
	requires(SECRET, SAMPLE);
	expect(run(), V(WRONG_ANSWER), "0");
	cr_expect(eq(str, judged, "0"));
}

Test(tally, a_sample_that_is_not_there_is_passed)
{
	begin_new();
	tests(SECRET, 1);
	requires(SECRET, SAMPLE);
	expect(run(), V(ACCEPTED), "100");
}

Test(tally, unbounded_scores_are_the_validators)
{
	begin_new();
	p.groups[SECRET].has_high = 0;
	tests(SECRET, 3);
	given[0].score_file = "1e6\n";
	given[1].score_file = "0.1";
	given[2].score_file = "0.2";
	expect(run(), V(ACCEPTED), "1000000.3");
	fail(1, V(WRONG_ANSWER));
	given[1].score_file = NULL;
	expect(run(), V(WRONG_ANSWER), "1000000.2");
	p.groups[SECRET].score_mode = PROBLEM_MIN;
	expect(run(), V(WRONG_ANSWER), "0");
}

Test(tally, what_a_program_prints_for_thirds_is_the_maximum)
{
	begin_new();
	tests(SECRET, 3);
	given[0].score_file =
		"33.333333333333336"; /* as binary doubles print it: above the exact third */
	given[1].score_file = "33.333333333";
	given[2].score_file = "33.33333333333333333333";
	expect(run(), V(ACCEPTED), "100");
	p.groups[SECRET].high = score_of(200);
	given[0].score_file = given[1].score_file = given[2].score_file = "66.66666666666667";
	expect(run(), V(ACCEPTED), "200");
	given[2].score_file = "66.666666668";
	expect(run(), V(JUDGE_ERROR), "-");
}

/* Every way in which the validator can break the rules for scores. */
Test(tally, judge_errors_of_scores)
{
	static const struct {
		enum problem_score_mode mode;
		int unbounded, said_wrong;
		const char *score, *multiplier;
		const char *part; /* of the message */
	} rows[] = {
		{PROBLEM_SUM, 0, 0, "1", "1", "both score.txt and score_multiplier.txt"},
		{PROBLEM_SUM, 0, 1, "1", NULL, "score.txt for an output that it rejected"},
		{PROBLEM_SUM, 0, 1, NULL, "1",
		 "score_multiplier.txt for an output that it rejected"},
		{PROBLEM_PASS_FAIL, 0, 0, "1", NULL,
		 "score.txt for a test of group secret, which is pass-fail"},
		{PROBLEM_PASS_FAIL, 0, 0, NULL, "1",
		 "score_multiplier.txt for a test of group secret, which"},
		{PROBLEM_SUM, 1, 0, NULL, "1",
		 "score_multiplier.txt for a test of group secret, whose max_score is unbounded"},
		{PROBLEM_MIN, 1, 0, NULL, NULL,
		 "no score.txt for an accepted test of group secret"},
		{PROBLEM_SUM, 0, 0, "", NULL, "expected a decimal number, found \"\""},
		{PROBLEM_SUM, 0, 0, "1 2", NULL, "found \"1 2\""},
		{PROBLEM_SUM, 0, 0, "nan", NULL, "found \"nan\""},
		{PROBLEM_SUM, 0, 0, NULL, "0x1", "score_multiplier.txt: expected a decimal number"},
		{PROBLEM_SUM, 0, 0, "-0.5", NULL, "-0.5 is less than 0"},
		{PROBLEM_SUM, 1, 0, "-1", NULL, "-1 is less than 0"},
		{PROBLEM_SUM, 0, 0, "50.1", NULL,
		 "50.1 is more than 50, which a test of group secret"},
		{PROBLEM_MIN, 0, 0, "100.1", NULL, "100.1 is more than 100"},
		{PROBLEM_SUM, 0, 0, NULL, "1.1", "1.1 is not between 0 and 1"},
		{PROBLEM_SUM, 0, 0, NULL, "-0.1", "-0.1 is not between 0 and 1"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		begin_new();
		tests(SECRET, 2);
		p.groups[SECRET].score_mode = rows[i].mode;
		p.groups[SECRET].has_high = !rows[i].unbounded;
		if (rows[i].said_wrong)
			fail(0, V(WRONG_ANSWER));
		given[0].score_file = rows[i].score;
		given[0].multiplier_file = rows[i].multiplier;
		expect(run(), V(JUDGE_ERROR), "-");
		cr_expect(eq(int, (int)shown[0].verdict, V(JUDGE_ERROR)));
		cr_expect(ne(ptr, strstr(shown[0].message, rows[i].part), NULL), "%zu: %s", i,
			  shown[0].message);
		cr_expect(eq(str, results[ROOT].message, shown[0].message));
		cr_expect(eq(str, judged, "0"));
		end();
	}
}

Test(tally, one_kind_of_file_for_all_tests)
{
	begin_new();
	tests(SECRET, 2);
	given[0].score_file = "5";
	given[1].multiplier_file = "1";
	expect(run(), V(JUDGE_ERROR), "-");
	cr_expect(eq(str, results[ROOT].message,
		     "the validator wrote score.txt for one test and "
		     "score_multiplier.txt for another"));
}

Test(tally, files_of_the_sample_do_not_count)
{
	begin_new();
	tests(SAMPLE, 2);
	tests(SECRET, 1);
	given[0].score_file = "a thousand";
	given[0].multiplier_file = "1";
	fail(1, V(WRONG_ANSWER));
	given[1].score_file = "5";
	expect(run(), V(WRONG_ANSWER), "100");
}

Test(tally, a_group_may_not_have_more_than_its_maximum)
{
	begin_new();
	group("secret/a", SECRET, PROBLEM_SCORED);
	group("secret/b", SECRET, PROBLEM_SCORED);
	bounded(A, PROBLEM_PASS_FAIL, 60);
	bounded(B, PROBLEM_PASS_FAIL, 41);
	tests(A, 1);
	tests(B, 1);
	expect(run(), V(JUDGE_ERROR), "-");
	cr_expect(eq(str, results[ROOT].message,
		     "group secret: the score 101 is more than its max_score, 100"));
	fail(1, V(WRONG_ANSWER));
	expect(run(), V(WRONG_ANSWER), "60");
}
