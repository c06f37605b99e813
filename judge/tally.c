#include "judge/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge/problem.h"
#include "judge/tally_parts.h"
#include "judge/text.h"
#include "proto/err.h"
#include "proto/scope.h"

#define V(name) JUDGE__V1__VERDICT__##name

#define PLAIN_GROUPS 3 /* data, sample, secret: what every problem has */

/* One group while its tests are judged. */
struct group {
	struct tally_result result;
	struct tally_sub *subs; /* of its tests and groups so far, in order; room for all */
	size_t nsubs, room;
	size_t tests;  /* of its own, not of groups in it */
	size_t judged; /* of those */
	int over;      /* none of its further results matters */
};

struct tally {
	const struct problem *problem;
	tally_grader *grader;
	void *arg;
	size_t next; /* first test that was neither added nor left out */
	size_t open; /* innermost group that is open; those around it are open too */
	int done;    /* all groups have results */
	int used_score, used_multiplier;
	struct tally_result broken; /* the first JUDGE_ERROR */
	struct group groups[];
};

static void count_room(struct tally *t)
{
	const struct problem *p = t->problem;

	for (size_t i = 0; i < p->ncases; i++)
		t->groups[p->cases[i].group].tests++;
	for (size_t i = 0; i < p->ngroups; i++)
		t->groups[i].room += t->groups[i].tests;
	for (size_t i = 1; i < p->ngroups; i++)
		t->groups[p->groups[i].parent].room++;
}

struct tally *tally_new(const struct problem *p, tally_grader *grader, void *arg)
{
	struct tally *t = calloc(1, sizeof(*t) + p->ngroups * sizeof(t->groups[0]));

	if (!t)
		return NULL;
	t->problem = p;
	t->grader = grader;
	t->arg = arg;
	count_room(t);
	for (size_t i = 0; i < p->ngroups; i++) {
		t->groups[i].subs = calloc(t->groups[i].room + 1, sizeof(struct tally_sub));
		if (!t->groups[i].subs) {
			tally_free(t);
			return NULL;
		}
	}
	return t;
}

void tally_free(struct tally *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->problem->ngroups; i++)
		free(t->groups[i].subs);
	free(t);
}

/* Parents come before their groups. */
static int is_in(const struct problem *p, size_t group, size_t ancestor)
{
	while (group > ancestor)
		group = p->groups[group].parent;
	return group == ancestor;
}

/* After a result in this group: does the rest of it matter? */
static int is_decided(const struct problem_group *g, const struct tally_sub *last)
{
	if (last->verdict == V(ACCEPTED))
		return 0;
	if (g->grading != PROBLEM_SCORED)
		return !g->go_on;
	if (g->parent == 0 && g->name[0] == '\0') /* whatever became of the sample */
		return 0;
	return g->score_mode == PROBLEM_PASS_FAIL ||
	       (g->score_mode == PROBLEM_MIN && score_cmp(last->score, score_of(0)) == 0);
}

static void add_sub(struct tally *t, size_t group, const struct tally_sub *sub)
{
	struct group *g = &t->groups[group];

	g->subs[g->nsubs++] = *sub;
	if (is_decided(&t->problem->groups[group], sub))
		g->over = 1;
}

static void note_break(struct tally *t, const struct tally_result *r)
{
	if (r->verdict == V(JUDGE_ERROR) && t->broken.verdict != V(JUDGE_ERROR))
		t->broken = *r;
}

static int ask_grader(struct tally *t, const struct problem_group *g, const struct tally_subs *subs,
		      struct tally_result *out, struct err *e)
{
	AUTO_FREE char *lines = tally_grade_lines(subs);

	if (!lines)
		return err_set(e, "out of memory");
	return t->grader(t->arg, g, lines, out, e);
}

/* The result of a group whose tests are all judged, or do not matter. */
static int grade(struct tally *t, size_t index, struct tally_result *out, struct err *e)
{
	const struct problem_group *g = &t->problem->groups[index];
	const struct group *state = &t->groups[index];
	struct tally_subs subs = {state->subs, state->nsubs, state->tests};

	*out = state->result;
	if (t->broken.verdict == V(JUDGE_ERROR)) {
		*out = t->broken; /* only groups around the broken one are still open */
		return 0;
	}
	if (out->message[0]) /* it was not to be judged */
		return 0;
	if (g->grading == PROBLEM_SCORED) {
		tally_score_group(t->problem, index, &subs, out);
		return 0;
	}
	if (g->grading == PROBLEM_GRADED)
		tally_grade_default(g, &subs, out);
	else if (ask_grader(t, g, &subs, out, e) < 0)
		return -1;
	tally_grade_check(t->problem, g, out);
	return 0;
}

/* Gives the innermost open group its result, and that to the group around it. */
static int close_group(struct tally *t, struct err *e)
{
	struct group *state = &t->groups[t->open];
	struct tally_result r;

	if (grade(t, t->open, &r, e) < 0)
		return -1;
	state->result = r;
	note_break(t, &r);
	if (t->open > 0)
		add_sub(t, t->problem->groups[t->open].parent,
			&(struct tally_sub){.verdict = r.verdict, .score = r.score});
	t->open = t->problem->groups[t->open].parent;
	return 0;
}

/* A group that needs what was not passed is not judged.  One without tests, a sample that is not there, counts as passed. */
static void open_group(struct tally *t, size_t group)
{
	const struct problem_group *g = &t->problem->groups[group];
	struct group *state = &t->groups[group];

	t->open = group;
	for (size_t i = 0; i < g->nrequires; i++) {
		const struct group *other = &t->groups[g->requires[i]];

		if (other->result.verdict == V(ACCEPTED) || other->room == 0)
			continue;
		snprintf(state->result.message, sizeof(state->result.message),
			 "not judged: it requires %.150s, which was not passed",
			 t->problem->groups[g->requires[i]].name);
		state->result.has_score = 1;
		state->over = 1;
		return;
	}
}

/* Ends the groups before this test and begins those that it is in.  1: it matters. */
static int reach(struct tally *t, size_t index, struct err *e)
{
	const struct problem_group *groups = t->problem->groups;
	size_t group = t->problem->cases[index].group;

	while (!is_in(t->problem, group, t->open))
		if (close_group(t, e) < 0)
			return -1;
	while (t->open != group && !t->groups[t->open].over) {
		size_t child = group;

		while (groups[child].parent != t->open)
			child = groups[child].parent;
		open_group(t, child);
	}
	return !t->groups[t->open].over && t->broken.verdict != V(JUDGE_ERROR);
}

int tally_next(struct tally *t, size_t *index, struct err *e)
{
	while (t->next < t->problem->ncases && t->broken.verdict != V(JUDGE_ERROR)) {
		int matters = reach(t, t->next, e);

		if (matters < 0)
			return -1;
		if (matters > 0) {
			*index = t->next;
			return 1;
		}
		t->next++;
	}
	while (!t->done) {
		int last = t->open == 0;

		if (close_group(t, e) < 0)
			return -1;
		t->done = last;
	}
	return 0;
}

void tally_add(struct tally *t, const struct tally_test *test, struct tally_result *out)
{
	size_t group = t->problem->cases[t->next].group;
	struct tally_sub sub;

	tally_score_test(t->problem, group, t->groups[group].tests, test, &sub, out);
	if (out->has_score && t->problem->groups[group].grading == PROBLEM_SCORED) {
		t->used_score |= test->score_file != NULL;
		t->used_multiplier |= test->multiplier_file != NULL;
	}
	if (t->used_score && t->used_multiplier)
		tally_break(out, "the validator wrote score.txt for one test and "
				 "score_multiplier.txt for another");
	sub.verdict = out->verdict;
	note_break(t, out);
	add_sub(t, group, &sub);
	t->groups[group].judged++;
	t->next++;
}

const struct tally_result *tally_group(const struct tally *t, size_t index)
{
	return &t->groups[index].result;
}

int tally_best_score(const struct problem *p, struct score *out)
{
	const struct problem_group *g = p->groups;

	/* the rules of 2025-09 bound secret, those of the legacy format the whole */
	for (size_t i = 1; g->grading == PROBLEM_SCORED && i < p->ngroups; i++)
		if (strcmp(p->groups[i].name, "secret") == 0)
			g = &p->groups[i];
	*out = p->minimize ? g->low : g->high;
	return p->kind & PROBLEM_SCORING && (p->minimize ? g->has_low : g->has_high);
}

void tally_best(const struct problem *p, char *out)
{
	struct score best;

	out[0] = '\0';
	if (tally_best_score(p, &best))
		score_format(best, out);
}

static char *score_text(int there, struct score s)
{
	char text[SCORE_TEXT_MAX] = "";

	if (there)
		score_format(s, text);
	return text_copy(text);
}

static Judge__V1__GroupResult *report_group(const struct tally *t, size_t index)
{
	const struct problem_group *g = &t->problem->groups[index];
	const struct tally_result *r = &t->groups[index].result;
	int scoring = (t->problem->kind & PROBLEM_SCORING) != 0;
	Judge__V1__GroupResult *out = malloc(sizeof(*out));

	if (!out)
		return NULL;
	judge__v1__group_result__init(out);
	out->name = text_copy(g->name);
	out->verdict = r->verdict;
	out->score = score_text(r->has_score, r->score);
	out->max_score = score_text(scoring && g->has_high, g->high);
	out->message = text_copy(r->message);
	for (size_t i = index; i < t->problem->ngroups; i++) {
		if (!is_in(t->problem, i, index))
			continue;
		out->tests += (uint32_t)t->groups[i].tests;
		out->judged += (uint32_t)t->groups[i].judged;
	}
	return out;
}

/* All but the first, and those that have no tests. */
static int report_groups(const struct tally *t, Judge__V1__Score *out)
{
	out->groups = calloc(t->problem->ngroups, sizeof(Judge__V1__GroupResult *));
	if (!out->groups)
		return -1;
	for (size_t i = 1; i < t->problem->ngroups; i++) {
		if (t->groups[i].room == 0)
			continue;
		out->groups[out->n_groups] = report_group(t, i);
		if (!out->groups[out->n_groups])
			return -1;
		out->n_groups++;
	}
	return 0;
}

int tally_report(const struct tally *t, Judge__V1__Score **out, struct err *e)
{
	const struct tally_result *r = &t->groups[0].result;
	char best[SCORE_TEXT_MAX];

	*out = NULL;
	if (!(t->problem->kind & PROBLEM_SCORING) && t->problem->ngroups <= PLAIN_GROUPS)
		return 0;
	*out = malloc(sizeof(**out));
	if (!*out)
		return err_set(e, "out of memory");
	judge__v1__score__init(*out);
	tally_best(t->problem, best);
	(*out)->score = score_text(r->has_score, r->score);
	(*out)->max_score = text_copy(best);
	if (report_groups(t, *out) == 0)
		return 0;
	judge__v1__score__free_unpacked(*out, NULL);
	*out = NULL;
	return err_set(e, "out of memory");
}
