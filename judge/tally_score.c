#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "judge/names.h"
#include "judge/problem.h"
#include "judge/tally_parts.h"
#include "proto/scope.h"

#define V(name) JUDGE__V1__VERDICT__##name

void tally_break(struct tally_result *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(r->message, sizeof(r->message), fmt, ap);
	va_end(ap);
	r->verdict = V(JUDGE_ERROR);
	r->has_score = 0;
	r->score = (struct score){0};
}

/* One number with white space around it. */
static int read_file(const char *name, const char *text, struct score *out, struct tally_result *r)
{
	static const char space[] = " \t\n\v\f\r";
	char shown[64];
	size_t len;

	text += strspn(text, space);
	len = strlen(text);
	while (len > 0 && strchr(space, text[len - 1]))
		len--;
	if (score_parse(text, len, out) == 0)
		return 0;
	names_escape(text, len, shown, sizeof(shown));
	tally_break(r, "the validator's %s: expected a decimal number, found \"%s\"", name, shown);
	return -1;
}

static void show(struct tally_result *r, struct score s)
{
	r->has_score = 1;
	r->score = s;
}

/* A test of a scoring problem of the legacy format. */
static void score_legacy(const struct problem *p, const struct problem_group *g,
			 const struct tally_test *t, struct tally_sub *sub, struct tally_result *r)
{
	sub->score = t->verdict == V(ACCEPTED) ? g->accept_score : g->reject_score;
	if (t->score_file && !p->custom_score)
		tally_break(r, "the validator wrote score.txt, but problem.yaml does not say "
			       "validation: custom score");
	else if (t->score_file && t->said == GRADE_WRONG)
		tally_break(r, "the validator wrote score.txt for an output that it rejected");
	else if (t->score_file && t->verdict == V(ACCEPTED) &&
		 read_file("score.txt", t->score_file, &sub->score, r) < 0)
		return;
	if (r->verdict != V(JUDGE_ERROR))
		show(r, sub->score);
}

/* What may not be, whatever is in the files.  1: all is well. */
static int check_files(const struct problem_group *g, const struct tally_test *t,
		       struct tally_result *r)
{
	const char *file = t->score_file ? "score.txt" : "score_multiplier.txt";

	if (t->score_file && t->multiplier_file)
		tally_break(r, "the validator wrote both score.txt and score_multiplier.txt");
	else if ((t->score_file || t->multiplier_file) && t->said == GRADE_WRONG)
		tally_break(r, "the validator wrote %s for an output that it rejected", file);
	else if ((t->score_file || t->multiplier_file) && g->score_mode == PROBLEM_PASS_FAIL)
		tally_break(r,
			    "the validator wrote %s for a test of group %.100s, which is "
			    "pass-fail",
			    file, g->name);
	else if (t->multiplier_file && !g->has_high)
		tally_break(r,
			    "the validator wrote score_multiplier.txt for a test of group "
			    "%.100s, whose max_score is unbounded",
			    g->name);
	else if (!t->score_file && !g->has_high && t->verdict == V(ACCEPTED))
		tally_break(r,
			    "the validator wrote no score.txt for an accepted test of group "
			    "%.100s, whose max_score is unbounded",
			    g->name);
	return r->verdict != V(JUDGE_ERROR);
}

/*
 * score.txt.  A maximum that does not come out even, as 200 / 3, is compared as it is shown, 66.666666667, and whoever reaches it
 * has the whole of it.
 */
static void take_score(const struct problem_group *g, size_t share, const char *file,
		       struct tally_sub *sub, struct tally_result *r)
{
	struct score most = score_over(g->high, share);
	char score[SCORE_TEXT_MAX], high[SCORE_TEXT_MAX];

	if (read_file("score.txt", file, &sub->score, r) < 0)
		return;
	score_format(sub->score, score);
	score_format(most, high);
	sub->exact = score_times(sub->score, share);
	if (score_cmp(sub->score, score_of(0)) < 0)
		tally_break(r, "the validator's score.txt: %s is less than 0", score);
	else if (g->has_high && score_cmp(sub->score, most) > 0)
		tally_break(r,
			    "the validator's score.txt: %s is more than %s, which a test of "
			    "group %.100s can have",
			    score, high, g->name);
	else if (g->has_high && score_cmp(sub->score, most) == 0)
		sub->exact = g->high;
}

static void take_multiplier(const struct problem_group *g, size_t share, const char *file,
			    struct tally_sub *sub, struct tally_result *r)
{
	struct score part;
	char text[SCORE_TEXT_MAX];

	if (read_file("score_multiplier.txt", file, &part, r) < 0)
		return;
	score_format(part, text);
	if (score_cmp(part, score_of(0)) < 0 || score_cmp(part, score_of(1)) > 0)
		tally_break(r, "the validator's score_multiplier.txt: %s is not between 0 and 1",
			    text);
	sub->exact = score_part(g->high, part);
	sub->score = score_over(sub->exact, share);
}

/* A test of 2025-09; share: a group of sums gives each of its tests the same part of its maximum. */
static void score_new(const struct problem_group *g, size_t share, const struct tally_test *t,
		      struct tally_sub *sub, struct tally_result *r)
{
	if (!check_files(g, t, r) || g->score_mode == PROBLEM_PASS_FAIL)
		return;
	if (t->verdict == V(ACCEPTED)) {
		if (t->score_file) {
			take_score(g, share, t->score_file, sub, r);
		} else if (t->multiplier_file) {
			take_multiplier(g, share, t->multiplier_file, sub, r);
		} else {
			sub->exact = g->high;
			sub->score = score_over(g->high, share);
		}
	}
	if (r->verdict != V(JUDGE_ERROR))
		show(r, sub->score);
}

void tally_score_test(const struct problem *p, size_t group, size_t tests,
		      const struct tally_test *t, struct tally_sub *sub, struct tally_result *r)
{
	const struct problem_group *g = &p->groups[group];

	*sub = (struct tally_sub){.verdict = t->verdict};
	*r = (struct tally_result){.verdict = t->verdict};
	if (!(p->kind & PROBLEM_SCORING) || t->verdict == V(JUDGE_ERROR))
		return;
	if (g->grading != PROBLEM_SCORED)
		score_legacy(p, g, t, sub, r);
	else if (strcmp(g->name, "sample") != 0)
		score_new(g, g->score_mode == PROBLEM_SUM ? tests : 1, t, sub, r);
	sub->verdict = r->verdict;
}

static struct score sum_of(const struct tally_subs *subs)
{
	struct score sum = {0};

	for (size_t i = 0; i < subs->n; i++)
		sum = score_add(sum, subs->tests ? subs->list[i].exact : subs->list[i].score);
	return subs->tests ? score_over(sum, subs->tests) : sum;
}

/* What was not judged did not pass. */
static struct score min_of(const struct tally_subs *subs)
{
	struct score least = subs->n ? subs->list[0].score : score_of(0);

	for (size_t i = 1; i < subs->n; i++)
		if (score_cmp(subs->list[i].score, least) < 0)
			least = subs->list[i].score;
	return least;
}

static struct score score_of_mode(const struct problem_group *g, const struct tally_subs *subs,
				  int passed)
{
	switch (g->score_mode) {
	case PROBLEM_SUM:
		return sum_of(subs);
	case PROBLEM_MIN:
		return min_of(subs);
	default:
		return passed ? g->high : score_of(0);
	}
}

void tally_score_group(const struct problem *p, size_t group, const struct tally_subs *subs,
		       struct tally_result *out)
{
	const struct problem_group *g = &p->groups[group];
	char score[SCORE_TEXT_MAX], high[SCORE_TEXT_MAX];
	int passed = 1;

	for (size_t i = 0; i < subs->n; i++) {
		if (subs->list[i].verdict != V(ACCEPTED) && out->verdict == 0)
			out->verdict = subs->list[i].verdict;
		passed = passed && subs->list[i].verdict == V(ACCEPTED);
	}
	if (passed)
		out->verdict = V(ACCEPTED);
	if (strcmp(g->name, "sample") == 0)
		return;
	out->has_score = 1;
	/* data itself: secret comes last, and its score is that of the submission */
	out->score = group == 0 && subs->n ? subs->list[subs->n - 1].score
					   : score_of_mode(g, subs, passed);
	if (group == 0 || !g->has_high || score_cmp(out->score, g->high) <= 0)
		return;
	score_format(out->score, score);
	score_format(g->high, high);
	tally_break(out, "group %.100s: the score %s is more than its max_score, %s", g->name,
		    score, high);
}
