#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge/problem.h"
#include "judge/tally_parts.h"
#include "proto/scope.h"

#define V(name) JUDGE__V1__VERDICT__##name

/* From the worst to the best. */
static const Judge__V1__Verdict ranks[] = {
	V(JUDGE_ERROR),         V(SECURITY_VIOLATION),
	V(RUN_TIME_ERROR),      V(MEMORY_LIMIT_EXCEEDED),
	V(TIME_LIMIT_EXCEEDED), V(OUTPUT_LIMIT_EXCEEDED),
	V(WRONG_ANSWER),        V(ACCEPTED),
};

static size_t rank(Judge__V1__Verdict v)
{
	size_t i = 0;

	while (i < ARRAY_LEN(ranks) - 1 && ranks[i] != v)
		i++;
	return i;
}

static Judge__V1__Verdict worst_error(const struct tally_subs *subs)
{
	Judge__V1__Verdict worst = V(ACCEPTED);

	for (size_t i = 0; i < subs->n; i++)
		if (rank(subs->list[i].verdict) < rank(worst))
			worst = subs->list[i].verdict;
	return worst;
}

static Judge__V1__Verdict first_error(const struct tally_subs *subs)
{
	for (size_t i = 0; i < subs->n; i++)
		if (subs->list[i].verdict != V(ACCEPTED))
			return subs->list[i].verdict;
	return V(ACCEPTED);
}

static int any_accepted(const struct tally_subs *subs)
{
	for (size_t i = 0; i < subs->n; i++)
		if (subs->list[i].verdict == V(ACCEPTED))
			return 1;
	return 0;
}

static Judge__V1__Verdict verdict_of(const struct problem_group *g, const struct tally_subs *subs)
{
	if (g->verdict_mode == PROBLEM_ALWAYS_ACCEPT || (g->accept_any && any_accepted(subs)))
		return V(ACCEPTED);
	return g->verdict_mode == PROBLEM_FIRST_ERROR ? first_error(subs) : worst_error(subs);
}

static struct score extreme(const struct tally_subs *subs, int sign)
{
	struct score out = subs->list[0].score;

	for (size_t i = 1; i < subs->n; i++)
		if (sign * score_cmp(subs->list[i].score, out) > 0)
			out = subs->list[i].score;
	return out;
}

static struct score score_of_group(const struct problem_group *g, const struct tally_subs *subs)
{
	struct score sum = {0};

	if (subs->n == 0)
		return sum;
	if (g->score_mode == PROBLEM_MIN || g->score_mode == PROBLEM_MAX)
		return extreme(subs, g->score_mode == PROBLEM_MAX ? 1 : -1);
	for (size_t i = 0; i < subs->n; i++)
		sum = score_add(sum, subs->list[i].score);
	return g->score_mode == PROBLEM_AVG ? score_over(sum, subs->n) : sum;
}

void tally_grade_default(const struct problem_group *g, const struct tally_subs *subs,
			 struct tally_result *out)
{
	struct tally_subs used = *subs;

	if (g->ignore_sample && subs->n > 1)
		used = (struct tally_subs){subs->list + 1, subs->n - 1, subs->tests};
	out->verdict = verdict_of(g, &used);
	out->score = score_of_group(g, &used);
}

char *tally_grade_lines(const struct tally_subs *subs)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	for (size_t i = 0; i < subs->n; i++) {
		char score[SCORE_TEXT_MAX];

		score_format(subs->list[i].score, score);
		fprintf(f, "%s %s\n", grade_code(grade_fold(subs->list[i].verdict)), score);
	}
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

int tally_read_grade(const char *text, size_t len, Judge__V1__Verdict *verdict, struct score *score)
{
	size_t code = 0, at, end;

	while (code < len && isalpha((unsigned char)text[code]))
		code++;
	for (at = code; at < len && isspace((unsigned char)text[at]);)
		at++;
	for (end = at; end < len && !isspace((unsigned char)text[end]);)
		end++;
	for (size_t i = end; i < len; i++)
		if (!isspace((unsigned char)text[i]))
			return -1;
	if (at == code || score_parse(text + at, end - at, score) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(ranks); i++) {
		const char *name = grade_code(ranks[i]);

		if (ranks[i] != V(SECURITY_VIOLATION) && strlen(name) == code &&
		    strncmp(name, text, code) == 0) {
			*verdict = ranks[i];
			return 0;
		}
	}
	return -1;
}

static void bound(int there, struct score s, const char *otherwise, char *out)
{
	if (there)
		score_format(s, out);
	else
		snprintf(out, SCORE_TEXT_MAX, "%s", otherwise);
}

void tally_grade_check(const struct problem *p, const struct problem_group *g,
		       struct tally_result *r)
{
	char score[SCORE_TEXT_MAX], low[SCORE_TEXT_MAX], high[SCORE_TEXT_MAX];

	if (!(p->kind & PROBLEM_SCORING) || r->verdict != V(ACCEPTED))
		return;
	r->has_score = 1;
	if ((!g->has_low || score_cmp(r->score, g->low) >= 0) &&
	    (!g->has_high || score_cmp(r->score, g->high) <= 0))
		return;
	score_format(r->score, score);
	bound(g->has_low, g->low, "-inf", low);
	bound(g->has_high, g->high, "+inf", high);
	tally_break(r, "group %.100s: the score %s is not in its range, %s to %s",
		    g->name[0] ? g->name : "data", score, low, high);
}
