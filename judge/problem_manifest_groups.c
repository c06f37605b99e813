#include <jansson.h>

#include "judge/problem_parts.h"
#include "proto/err.h"
#include "proto/scope.h"

/* A score, or null where there is none. */
static json_t *score_to_json(int there, struct score s)
{
	char text[SCORE_TEXT_MAX];

	score_format(s, text);
	return there ? json_string(text) : json_null();
}

static json_t *requires_to_json(const struct problem_group *g)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < g->nrequires; i++)
		json_array_append_new(list, json_integer((json_int_t)g->requires[i]));
	return list;
}

static json_t *group_to_json(const struct problem_group *g)
{
	static char *const none[] = {NULL};

	return json_pack(
		"{s:s, s:I, s:i, s:i, s:i, s:b, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
		g->name, "parent", (json_int_t)g->parent, "grading", (int)g->grading, "score_mode",
		(int)g->score_mode, "verdict_mode", (int)g->verdict_mode, "go_on", g->go_on,
		"ignore_sample", g->ignore_sample, "accept_any", g->accept_any, "args",
		problem_words_to_json(g->args ? g->args : none), "accept_score",
		score_to_json(1, g->accept_score), "reject_score",
		score_to_json(1, g->reject_score), "low", score_to_json(g->has_low, g->low), "high",
		score_to_json(g->has_high, g->high), "requires", requires_to_json(g));
}

json_t *problem_groups_to_json(const struct problem *p)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < p->ngroups; i++)
		json_array_append_new(list, group_to_json(&p->groups[i]));
	return list;
}

static int score_from_json(json_t *item, int *there, struct score *out)
{
	const char *text = json_string_value(item);

	*there = text != NULL;
	return text ? score_parse(text, strlen(text), out) : json_is_null(item) ? 0 : -1;
}

/* Any may be null but those that every group has. */
static int scores_from_json(json_t *const *items, struct problem_group *g)
{
	int accept, reject;

	if (score_from_json(items[0], &accept, &g->accept_score) < 0 ||
	    score_from_json(items[1], &reject, &g->reject_score) < 0 ||
	    score_from_json(items[2], &g->has_low, &g->low) < 0 ||
	    score_from_json(items[3], &g->has_high, &g->high) < 0)
		return -1;
	return accept && reject ? 0 : -1;
}

static int modes_from_json(const int *modes, struct problem_group *g)
{
	if (modes[0] < 0 || modes[0] > PROBLEM_SCORED || modes[1] < 0 ||
	    modes[1] > PROBLEM_PASS_FAIL || modes[2] < 0 || modes[2] > PROBLEM_ALWAYS_ACCEPT)
		return -1;
	g->grading = (enum problem_grading)modes[0];
	g->score_mode = (enum problem_score_mode)modes[1];
	g->verdict_mode = (enum problem_verdict_mode)modes[2];
	return 0;
}

/* Only groups that come before it. */
static int requires_from_json(json_t *list, size_t index, struct problem_group *g)
{
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > index)
		return -1;
	g->requires = n ? calloc(n, sizeof(*g->requires)) : NULL;
	if (n && !g->requires)
		return -1;
	for (; g->nrequires < n; g->nrequires++) {
		json_t *item = json_array_get(list, g->nrequires);
		json_int_t other = json_integer_value(item);

		if (!json_is_integer(item) || other < 0 || (size_t)other >= index)
			return -1;
		g->requires[g->nrequires] = (size_t)other;
	}
	return 0;
}

static int group_from_json(json_t *item, struct problem *p)
{
	struct problem_group g = {0}, *to;
	json_t *args, *requires, *scores[4];
	size_t index = p->ngroups;
	struct err ignored;
	json_int_t parent;
	const char *name;
	int modes[3];

	if (json_unpack(item,
			"{s:s, s:I, s:i, s:i, s:i, s:b, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o !}",
			"name", &name, "parent", &parent, "grading", &modes[0], "score_mode",
			&modes[1], "verdict_mode", &modes[2], "go_on", &g.go_on, "ignore_sample",
			&g.ignore_sample, "accept_any", &g.accept_any, "args", &args,
			"accept_score", &scores[0], "reject_score", &scores[1], "low", &scores[2],
			"high", &scores[3], "requires", &requires) < 0 ||
	    parent < 0 || (size_t)parent > (index ? index - 1 : 0))
		return -1;
	to = problem_group_add(p, name, (size_t)parent, &ignored);
	if (!to)
		return -1;
	g.name = to->name;
	g.parent = to->parent;
	*to = g;
	if (problem_words_from_json(args, &to->args) < 0 ||
	    requires_from_json(requires, index, to) < 0)
		return -1;
	return scores_from_json(scores, to) < 0 ? -1 : modes_from_json(modes, to);
}

int problem_groups_from_json(json_t *list, struct problem *p)
{
	struct err ignored;
	size_t n = json_array_size(list);

	if (!list)
		return problem_group_add(p, "", 0, &ignored) ? 0 : -1;
	if (n == 0 || n > PROBLEM_GROUPS_MAX)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (group_from_json(json_array_get(list, i), p) < 0)
			return -1;
	return 0;
}
