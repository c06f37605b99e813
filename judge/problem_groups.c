#include "judge/doc.h"
#include "judge/names.h"
#include "judge/problem_parts.h"
#include "proto/err.h"
#include "proto/scope.h"

#define SECRET_MAX 100 /* max_score of data/secret where the package says nothing */

struct problem_group *problem_group_add(struct problem *p, const char *name, size_t parent,
					struct err *e)
{
	struct problem_group *grown;

	if (p->ngroups == PROBLEM_GROUPS_MAX) {
		err_set(e, "data: more than %d groups of tests", PROBLEM_GROUPS_MAX);
		return NULL;
	}
	grown = reallocarray(p->groups, p->ngroups + 1, sizeof(*grown));
	if (!grown) {
		err_sys(e, "groups");
		return NULL;
	}
	p->groups = grown;
	grown[p->ngroups] = (struct problem_group){
		.name = strdup(name), .parent = parent, .accept_score = score_of(1)};
	if (!grown[p->ngroups].name) {
		err_sys(e, "groups");
		return NULL;
	}
	return &grown[p->ngroups++];
}

/* A group's file while its group is filled.  d is NULL when there is none; path is the folder then. */
struct reading {
	struct problem *p;
	struct problem_group *g;
	const struct problem_group_keys *k;
	const struct doc *d;
	const char *path;
};

static int is_group(const struct problem_group *g, const char *name)
{
	return strcmp(g->name, name) == 0;
}

/* "FILE:LINE: key: ...", or "FOLDER: key: ..." for a key that is not there. */
static int fail(const struct reading *r, const char *key, const char *what, struct err *e)
{
	const struct doc_node *n = r->d ? doc_get(r->d->root, key) : NULL;

	if (n)
		return doc_fail(r->d, n->line, e, "%s: %s", key, what);
	return err_set(e, "%.120s: %s: %s", r->d ? r->d->file : r->path, key, what);
}

static int has(const struct reading *r, const char *key)
{
	return r->d && doc_get(r->d->root, key);
}

struct word {
	const char *word;
	int value;
};

/* The value of a word in a list that ends with NULL; -1 for any other. */
static int find_word(const struct word *list, const char *word)
{
	for (; list->word; list++)
		if (strcmp(list->word, word) == 0)
			return list->value;
	return -1;
}

/* Legacy: "0.5", "-inf" where a bound may be one. */
static int read_score(const char *text, struct score *out)
{
	return score_parse(text, strlen(text), out);
}

static int read_bound(const char *text, const char *const *none, int *there, struct score *out)
{
	for (; *none; none++)
		if (strcmp(text, *none) == 0) {
			*there = 0;
			return 0;
		}
	*there = 1;
	return read_score(text, out);
}

static int read_range(const struct reading *r, struct err *e)
{
	static const char *const below[] = {"-inf", NULL};
	static const char *const above[] = {"inf", "+inf", NULL};
	struct problem_group *g = r->g;
	char **words;
	int rc;

	if (!r->k->range)
		return 0;
	words = problem_words(NULL, r->k->range);
	if (!words)
		return err_sys(e, "range");
	rc = words[0] && words[1] && !words[2] &&
			     read_bound(words[0], below, &g->has_low, &g->low) == 0 &&
			     read_bound(words[1], above, &g->has_high, &g->high) == 0
		     ? 0
		     : -1;
	problem_words_free(words);
	if (rc < 0)
		return fail(r, "range", "expected two numbers, like 0 100 or -inf +inf", e);
	if (g->has_low && g->has_high && score_cmp(g->low, g->high) > 0)
		return fail(r, "range", "the first number is greater than the second", e);
	return 0;
}

static int read_accept_scores(const struct reading *r, struct err *e)
{
	static const char expected[] = "expected a number, like 10 or 0.5";

	if (r->k->accept_score && read_score(r->k->accept_score, &r->g->accept_score) < 0)
		return fail(r, "accept_score", expected, e);
	if (r->k->reject_score && read_score(r->k->reject_score, &r->g->reject_score) < 0)
		return fail(r, "reject_score", expected, e);
	return 0;
}

/* One word for the default grader.  Of words that contradict each other the last one counts. */
static int take_grader_flag(struct problem_group *g, const char *word)
{
	static const struct word scores[] = {
		{"sum", PROBLEM_SUM},
		{"min", PROBLEM_MIN},
		{"max", PROBLEM_MAX},
		{"avg", PROBLEM_AVG},
		{NULL, 0},
	};
	static const struct word verdicts[] = {
		{"worst_error", PROBLEM_WORST_ERROR},
		{"no_errors", PROBLEM_WORST_ERROR}, /* what it was called before */
		{"first_error", PROBLEM_FIRST_ERROR},
		{"always_accept", PROBLEM_ALWAYS_ACCEPT},
		{NULL, 0},
	};
	int score = find_word(scores, word), verdict = find_word(verdicts, word);

	if (score >= 0)
		g->score_mode = (enum problem_score_mode)score;
	else if (verdict >= 0)
		g->verdict_mode = (enum problem_verdict_mode)verdict;
	else if (strcmp(word, "accept_if_any_accepted") == 0)
		g->accept_any = 1;
	else if (strcmp(word, "ignore_sample") == 0)
		g->ignore_sample = 1;
	else
		return -1;
	return 0;
}

static int bad_grader_flag(const struct reading *r, const char *word, struct err *e)
{
	char shown[40], text[200];

	names_escape(word, strlen(word), shown, sizeof(shown));
	snprintf(text, sizeof(text),
		 "%s: expected worst_error, first_error or always_accept, sum, avg, min or max, "
		 "accept_if_any_accepted, ignore_sample",
		 shown);
	return fail(r, "grader_flags", text, e);
}

/* Groups below the first do not take over that it leaves out the sample. */
static int read_default_grader(const struct reading *r, struct err *e)
{
	struct problem_group *g = r->g;
	int top = g == r->p->groups;

	g->score_mode = PROBLEM_SUM;
	g->verdict_mode = PROBLEM_WORST_ERROR;
	g->accept_any = g->ignore_sample = 0;
	for (char **word = g->args; word && *word; word++)
		if (take_grader_flag(g, *word) < 0)
			return bad_grader_flag(r, *word, e);
	if (g->ignore_sample && !top && has(r, "grader_flags"))
		return fail(r, "grader_flags", "ignore_sample belongs into data/testdata.yaml", e);
	if (g->ignore_sample && top && !g->go_on)
		return fail(r, has(r, "on_reject") ? "on_reject" : "grader_flags",
			    "ignore_sample needs on_reject: continue, or a wrong sample would end "
			    "the judging before data/secret",
			    e);
	g->ignore_sample = g->ignore_sample && top;
	return 0;
}

static int read_grading(const struct reading *r, struct err *e)
{
	static const struct word words[] = {
		{"default", PROBLEM_GRADED}, {"custom", PROBLEM_CUSTOM}, {NULL, 0}};
	struct problem_group *g = r->g;

	if (r->k->grading) {
		int found = find_word(words, r->k->grading);

		if (found < 0)
			return fail(r, "grading", "expected default or custom", e);
		g->grading = (enum problem_grading)found;
	}
	if (r->k->grader_flags) {
		problem_words_free(g->args);
		g->args = problem_words(NULL, r->k->grader_flags);
		if (!g->args)
			return err_sys(e, "grader_flags");
	}
	if (g->grading != PROBLEM_CUSTOM)
		return read_default_grader(r, e);
	if (r->p->grader.nsources == 0)
		return fail(r, "grading", "custom, but there is no program in graders", e);
	return 0;
}

static int read_on_reject(const struct reading *r, struct err *e)
{
	static const struct word words[] = {{"break", 0}, {"continue", 1}, {NULL, 0}};
	int found;

	if (!r->k->on_reject)
		return 0;
	found = find_word(words, r->k->on_reject);
	if (found < 0)
		return fail(r, "on_reject", "expected break or continue", e);
	r->g->go_on = found;
	return 0;
}

/* Keys for which this problem, or this group, has no use. */
static int refuse_keys(const struct reading *r, const char *const *keys, const char *why,
		       struct err *e)
{
	for (; *keys; keys++)
		if (has(r, *keys))
			return fail(r, *keys, why, e);
	return 0;
}

/* What testdata.yaml does not say holds as in the folder around it. */
static int read_legacy(const struct reading *r, struct err *e)
{
	static const char *const of_scoring[] = {"accept_score", "reject_score", "range", NULL};

	if (!(r->p->kind & PROBLEM_SCORING) &&
	    refuse_keys(r, of_scoring, "belongs to problems of type: scoring", e) < 0)
		return -1;
	if (read_on_reject(r, e) < 0 || read_accept_scores(r, e) < 0 || read_range(r, e) < 0)
		return -1;
	return read_grading(r, e);
}

static int inherit(struct problem *p, struct problem_group *g, struct err *e)
{
	const struct problem_group *up = &p->groups[g->parent];
	char *name = g->name;
	size_t parent = g->parent;

	if (g == p->groups)
		return 0;
	*g = *up;
	g->name = name;
	g->parent = parent;
	g->args = up->args ? problem_words_copy(up->args) : NULL;
	return up->args && !g->args ? err_sys(e, "groups") : 0;
}

static int read_max_score(const struct reading *r, struct err *e)
{
	struct problem_group *g = r->g;
	const char *text = r->k->max_score;

	if (!text)
		return 0;
	if (strcmp(text, "unbounded") == 0) {
		g->has_high = 0;
		g->high = score_of(0);
		return 0;
	}
	g->has_high = 1;
	if (text[strspn(text, "0123456789")] != '\0' || read_score(text, &g->high) < 0)
		return fail(r, "max_score", "expected a whole number, not negative, or unbounded",
			    e);
	return 0;
}

static int read_aggregation(const struct reading *r, struct err *e)
{
	static const struct word words[] = {{"pass-fail", PROBLEM_PASS_FAIL},
					    {"sum", PROBLEM_SUM},
					    {"min", PROBLEM_MIN},
					    {NULL, 0}};
	int found;

	if (!r->k->aggregation)
		return 0;
	found = find_word(words, r->k->aggregation);
	if (found < 0)
		return fail(r, "score_aggregation", "expected pass-fail, sum or min", e);
	r->g->score_mode = (enum problem_score_mode)found;
	return 0;
}

/* Secret and its groups: who may be unbounded, who must be all or nothing. */
static int check_scored(const struct reading *r, struct err *e)
{
	const struct problem_group *g = r->g, *up = &r->p->groups[g->parent];
	int inner = !is_group(g, "secret");

	if (g->score_mode == PROBLEM_PASS_FAIL && !g->has_high)
		return fail(r, "max_score",
			    "expected a number: the group is all or nothing (score_aggregation: "
			    "pass-fail)",
			    e);
	if (inner && up->has_high && !g->has_high)
		return fail(r, "max_score",
			    "expected a number: only when data/secret is unbounded, its groups may "
			    "be",
			    e);
	if (inner && up->score_mode == PROBLEM_PASS_FAIL && g->score_mode != PROBLEM_PASS_FAIL)
		return fail(r, "score_aggregation", "expected pass-fail, as data/secret has it", e);
	return 0;
}

static int require(const struct reading *r, const struct doc_node *n, struct err *e)
{
	struct problem_group *g = r->g;
	size_t self = (size_t)(g - r->p->groups), i = 1, *grown;

	/* of those before it, but not those around it */
	while (i < self &&
	       (n->kind != DOC_SCALAR || !is_group(&r->p->groups[i], n->text) || i == g->parent))
		i++;
	if (i >= self)
		return doc_fail(r->d, n->line, e,
				"require_pass: expected sample or the name of a group that comes "
				"before this one, like secret/1");
	if (r->p->groups[i].score_mode != PROBLEM_PASS_FAIL)
		return doc_fail(r->d, n->line, e,
				"require_pass: %s is not all or nothing (score_aggregation: "
				"pass-fail)",
				n->text);
	grown = reallocarray(g->requires, g->nrequires + 1, sizeof(*grown));
	if (!grown)
		return err_sys(e, "require_pass");
	g->requires = grown;
	grown[g->nrequires++] = i;
	return 0;
}

static int read_requires(const struct reading *r, struct err *e)
{
	const struct doc_node *n = r->d ? doc_get(r->d->root, "require_pass") : NULL;

	if (!n || n->kind != DOC_LIST)
		return n ? require(r, n, e) : 0;
	for (n = n->first; n; n = n->next)
		if (require(r, n, e) < 0)
			return -1;
	return 0;
}

static int read_scored(const struct reading *r, struct err *e)
{
	static const char *const keys[] = {"max_score", "score_aggregation", "require_pass", NULL};
	struct problem_group *g = r->g;

	if (!(r->p->kind & PROBLEM_SCORING))
		return refuse_keys(r, keys, "belongs to problems of type: scoring", e);
	g->grading = PROBLEM_SCORED;
	g->score_mode = PROBLEM_PASS_FAIL;
	if (g == r->p->groups)
		return 0;
	if (is_group(g, "sample"))
		return refuse_keys(r, keys, "has no place in data/sample, which gives no score", e);
	if (is_group(g, "secret")) {
		g->score_mode = PROBLEM_SUM;
		g->has_high = 1;
		g->high = score_of(SECRET_MAX);
	}
	if (read_max_score(r, e) < 0 || read_aggregation(r, e) < 0 || check_scored(r, e) < 0)
		return -1;
	return read_requires(r, e);
}

int problem_group_read(struct problem *p, const struct problem_settings *s, size_t index,
		       const struct problem_group_keys *k, const struct doc *d, const char *path,
		       struct err *e)
{
	struct reading r = {p, &p->groups[index], k, d, path};

	if (s->format == PROBLEM_2025_09)
		return read_scored(&r, e);
	return inherit(p, r.g, e) < 0 ? -1 : read_legacy(&r, e);
}

/* Needs the tests. */
static int check_group(const struct problem *p, size_t index, const size_t *tests, struct err *e)
{
	const struct problem_group *g = &p->groups[index];
	size_t inner = tests[index];

	for (size_t i = index + 1; i < p->ngroups; i++)
		inner += p->groups[i].parent == index;
	if (inner == 0 && !is_group(g, "sample"))
		return err_set(e, "data/%.150s: there is no test", g->name);
	if (g->grading == PROBLEM_SCORED && index > 0 && tests[index] && !p->custom &&
	    !g->has_high && !is_group(g, "sample"))
		return err_set(e,
			       "data/%.100s: max_score: unbounded, but without a program in "
			       "output_validator nothing gives its tests a score",
			       g->name);
	return 0;
}

int problem_groups_check(const struct problem *p, struct err *e)
{
	AUTO_FREE size_t *tests = calloc(p->ngroups, sizeof(*tests));

	if (!tests)
		return err_sys(e, "groups");
	for (size_t i = 0; i < p->ncases; i++)
		tests[p->cases[i].group]++;
	for (size_t i = 0; i < p->ngroups; i++)
		if (check_group(p, i, tests, e) < 0)
			return -1;
	return 0;
}
