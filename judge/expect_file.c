/* submissions/submissions.yaml of a 2025-09 package. */
#include <errno.h>

#include "judge/doc.h"
#include "judge/expect.h"
#include "judge/grade.h"
#include "judge/names.h"
#include "judge/pattern.h"
#include "proto/err.h"
#include "proto/scope.h"

/* While one key's value is read. */
struct reader {
	const struct doc *d;
	struct expect_entry *entry;
	struct expect_rule *rule;
};

typedef int read_key(struct reader *r, const struct doc_node *n, struct err *e);

static int read_set(struct reader *r, const struct doc_node *n, uint32_t *out, struct err *e)
{
	static const Judge__V1__Verdict known[] = {
		JUDGE__V1__VERDICT__ACCEPTED, JUDGE__V1__VERDICT__WRONG_ANSWER,
		JUDGE__V1__VERDICT__TIME_LIMIT_EXCEEDED, JUDGE__V1__VERDICT__RUN_TIME_ERROR};

	*out = 0;
	for (const struct doc_node *w = n->kind == DOC_LIST ? n->first : NULL; w; w = w->next) {
		uint32_t bit = 0;

		for (size_t i = 0; w->kind == DOC_SCALAR && i < ARRAY_LEN(known); i++)
			if (strcmp(w->text, grade_code(known[i])) == 0)
				bit = EXPECT_BIT(known[i]);
		if (!bit)
			return doc_fail(r->d, w->line, e, "%s: expected some of AC, WA, TLE, RTE",
					n->key);
		*out |= bit;
	}
	return *out ? 0
		    : doc_fail(r->d, n->line, e, "%s: expected a list of verdicts, like [AC, TLE]",
			       n->key);
}

static int read_permitted(struct reader *r, const struct doc_node *n, struct err *e)
{
	r->entry->has_permitted |= !r->rule->tests;
	return read_set(r, n, &r->rule->permitted, e);
}

static int read_required(struct reader *r, const struct doc_node *n, struct err *e)
{
	r->entry->has_required |= !r->rule->tests;
	return read_set(r, n, &r->rule->required, e);
}

static int read_text(struct reader *r, const struct doc_node *n, char **out, struct err *e)
{
	if (n->kind != DOC_SCALAR || !n->text[0])
		return doc_fail(r->d, n->line, e, "%s: expected text", n->key);
	free(*out);
	*out = strdup(n->text);
	return *out ? 0 : err_sys(e, "%s", n->key);
}

static int read_message(struct reader *r, const struct doc_node *n, struct err *e)
{
	if (n->kind == DOC_SCALAR && n->quoted && !n->text[0])
		return 0; /* what it is unless given */
	return read_text(r, n, &r->rule->message, e);
}

static int read_time(struct reader *r, const struct doc_node *n, struct err *e)
{
	static const struct {
		const char *word;
		enum expect_time time;
	} words[] = {{"true", EXPECT_TIME_DERIVED},
		     {"false", EXPECT_TIME_UNUSED},
		     {"lower", EXPECT_TIME_LOWER},
		     {"upper", EXPECT_TIME_UPPER}};

	for (size_t i = 0; n->kind == DOC_SCALAR && i < ARRAY_LEN(words); i++)
		if (strcmp(n->text, words[i].word) == 0) {
			r->rule->time = words[i].time;
			return 0;
		}
	return doc_fail(r->d, n->line, e, "%s: expected true, false, lower or upper", n->key);
}

static int read_number(struct reader *r, const struct doc_node *n, struct score *out, struct err *e)
{
	if (n->kind == DOC_SCALAR && score_parse(n->text, strlen(n->text), out) == 0)
		return 0;
	return doc_fail(r->d, n->line, e, "score: expected a number, or [LEAST, MOST]");
}

static int read_score(struct reader *r, const struct doc_node *n, struct err *e)
{
	const struct doc_node *low = n->kind == DOC_LIST ? n->first : n;
	const struct doc_node *high = n->kind == DOC_LIST && low ? low->next : n;

	if (!low || !high || (n->kind == DOC_LIST && high->next))
		return doc_fail(r->d, n->line, e, "score: expected a number, or [LEAST, MOST]");
	r->rule->has_score = 1;
	if (read_number(r, low, &r->rule->score_low, e) < 0 ||
	    read_number(r, high, &r->rule->score_high, e) < 0)
		return -1;
	if (score_cmp(r->rule->score_low, r->rule->score_high) > 0)
		return doc_fail(r->d, n->line, e, "score: the first number is larger");
	return 0;
}

static int read_language(struct reader *r, const struct doc_node *n, struct err *e)
{
	return read_text(r, n, &r->entry->language, e);
}

static int read_entrypoint(struct reader *r, const struct doc_node *n, struct err *e)
{
	return read_text(r, n, &r->entry->entrypoint, e);
}

static int read_flag(struct reader *r, const struct doc_node *n, struct err *e)
{
	if (n->kind == DOC_SCALAR && (!strcmp(n->text, "true") || !strcmp(n->text, "false")))
		return 0;
	return doc_fail(r->d, n->line, e, "%s: expected true or false", n->key);
}

static int read_nothing(struct reader *r, const struct doc_node *n, struct err *e)
{
	(void)r;
	(void)n;
	(void)e;
	return 0;
}

/* clang-format off */
static const struct {
	const char *key;
	read_key *read;
	int of_tests; /* may be given for some tests only */
} keys[] = {
	{"permitted",          read_permitted,  1},
	{"required",           read_required,   1},
	{"message",            read_message,    1},
	{"score",              read_score,      1},
	{"use_for_time_limit", read_time,       1},
	{"language",           read_language,   0},
	{"entrypoint",         read_entrypoint, 0},
	{"model_solution",     read_flag,       0},
	{"authors",            read_nothing,    0},
};
/* clang-format on */

/* 1: it was one of the keys; 0: it is a pattern of tests. */
static int read_known(struct reader *r, const struct doc_node *n, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcmp(n->key, keys[i].key) != 0)
			continue;
		if (r->rule->tests && !keys[i].of_tests)
			return doc_fail(r->d, n->key_line, e, "%s: is not for single tests",
					n->key);
		return keys[i].read(r, n, e) < 0 ? -1 : 1;
	}
	return 0;
}

static int not_a_key(const struct doc *d, const struct doc_node *n, struct err *e)
{
	char shown[48];

	names_escape(n->key, strlen(n->key), shown, sizeof(shown));
	return doc_fail(d, n->key_line, e,
			"unknown key \"%s\": expected permitted, required, message, score, "
			"use_for_time_limit, language, entrypoint, authors, model_solution, or "
			"tests with a map of these",
			shown);
}

/* What is said of some tests: a rule of its own. */
static int read_tests(struct reader *up, const struct doc_node *map, struct err *e)
{
	struct expect_rule *rule = expect_add(&up->entry->rules);
	struct reader r = {up->d, up->entry, rule};
	struct err why;

	if (!rule)
		return err_sys(e, "%s", map->key);
	rule->tests = pattern_expand(map->key, &why);
	if (!rule->tests)
		return doc_fail(up->d, map->key_line, e, "%s", why.msg);
	for (const struct doc_node *n = map->first; n; n = n->next) {
		int known = read_known(&r, n, e);

		if (known <= 0)
			return known < 0 ? -1 : not_a_key(up->d, n, e);
	}
	return 0;
}

static int read_entry(const struct doc *d, const struct doc_node *map, struct expect_entry *entry,
		      struct err *e)
{
	struct err why;

	entry->line = map->key_line;
	entry->key = strdup(map->key);
	entry->patterns = pattern_expand(map->key, &why);
	if (!entry->patterns)
		return doc_fail(d, map->key_line, e, "%s", why.msg);
	if (!entry->key || !expect_add(&entry->rules))
		return err_sys(e, "%s", map->key);
	if (map->kind != DOC_MAP)
		return doc_fail(d, map->line, e, "expected a map of what the submissions must do");
	for (const struct doc_node *n = map->first; n; n = n->next) {
		/* items may move when a rule is added */
		struct reader r = {d, entry, &entry->rules.items[0]};
		int known = read_known(&r, n, e);

		if (known < 0)
			return -1;
		if (known == 0 && n->kind != DOC_MAP)
			return not_a_key(d, n, e);
		if (known == 0 && read_tests(&r, n, e) < 0)
			return -1;
	}
	return 0;
}

static size_t count(const struct doc_node *map)
{
	size_t n = 0;

	for (const struct doc_node *at = map->first; at; at = at->next)
		n++;
	return n;
}

static int read_entries(const struct doc *d, struct expect_file *out, struct err *e)
{
	if (d->root->kind != DOC_MAP)
		return doc_fail(d, d->root->line, e, "expected a map of patterns");
	out->entries = calloc(count(d->root) + 1, sizeof(*out->entries));
	if (!out->entries)
		return err_sys(e, "%s", d->file);
	for (const struct doc_node *n = d->root->first; n; n = n->next)
		if (read_entry(d, n, &out->entries[out->n++], e) < 0)
			return -1;
	return 0;
}

int expect_file_parse(const char *text, size_t len, struct expect_file *out, struct err *e)
{
	struct doc d;
	int rc;

	*out = (struct expect_file){NULL, 0};
	if (doc_parse("submissions/submissions.yaml", text, len, &d, e) < 0)
		return -1;
	rc = read_entries(&d, out, e);
	doc_release(&d);
	return rc;
}

void expect_file_release(struct expect_file *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct expect_entry *x = &f->entries[i];

		free(x->key);
		free(x->language);
		free(x->entrypoint);
		pattern_free(x->patterns);
		expect_release(&x->rules);
	}
	free(f->entries);
	*f = (struct expect_file){NULL, 0};
}

static char **copy_patterns(char *const *from, struct err *e)
{
	size_t n = 0;
	char **to;

	while (from[n])
		n++;
	to = calloc(n + 1, sizeof(*to));
	for (size_t i = 0; to && i < n; i++) {
		to[i] = strdup(from[i]);
		if (!to[i]) {
			pattern_free(to);
			to = NULL;
		}
	}
	if (!to)
		err_sys(e, "submissions.yaml");
	return to;
}

static int copy_rule(const struct expect_rule *from, struct expect_rules *rules, struct err *e)
{
	struct expect_rule *to = expect_add(rules);

	if (!to)
		return err_sys(e, "submissions.yaml");
	*to = *from;
	to->tests = NULL;
	to->message = NULL;
	if (from->tests) {
		to->tests = copy_patterns(from->tests, e);
		if (!to->tests)
			return -1;
	}
	if (from->message) {
		to->message = strdup(from->message);
		if (!to->message)
			return err_sys(e, "submissions.yaml");
	}
	return 0;
}

/* The folder's own rule, as the entry with the folder's name changes it: what that does not say stays. */
static void change_folder(const struct expect_entry *x, struct expect_rule *rule)
{
	if (x->has_permitted)
		rule->permitted = x->rules.items[0].permitted;
	if (x->has_required)
		rule->required = x->rules.items[0].required;
	if (x->rules.items[0].time != EXPECT_TIME_DERIVED)
		rule->time = x->rules.items[0].time;
}

static int apply(const struct expect_entry *x, int is_folder, struct expect_rules *rules,
		 struct err *e)
{
	if (is_folder) {
		change_folder(x, &rules->items[0]);
		if (copy_rule(&x->rules.items[0], rules, e) < 0)
			return -1;
		/* those are in the folder's rule now */
		rules->items[rules->n - 1].permitted = rules->items[rules->n - 1].required = 0;
		rules->items[rules->n - 1].time = EXPECT_TIME_DERIVED;
	} else if (copy_rule(&x->rules.items[0], rules, e) < 0) {
		return -1;
	}
	for (size_t i = 1; i < x->rules.n; i++)
		if (copy_rule(&x->rules.items[i], rules, e) < 0)
			return -1;
	return 0;
}

/* Text that two entries may both give, if they agree. */
static int take(const struct expect_entry *x, const char *key, const char *value, const char **out,
		struct err *e)
{
	if (!value)
		return 0;
	if (*out && strcmp(*out, value) != 0)
		return err_set(
			e, "submissions/submissions.yaml:%u: %s: says %.40s, another entry %.40s",
			x->line, key, value, *out);
	*out = value;
	return 0;
}

int expect_file_apply(struct expect_file *f, const char *path, struct expect_rules *rules,
		      struct expect_applied *out, struct err *e)
{
	size_t folder_len = strcspn(path, "/");
	int has_folder = rules->n > 0;

	*out = (struct expect_applied){NULL, NULL};
	for (size_t i = 0; i < f->n; i++) {
		struct expect_entry *x = &f->entries[i];
		int is_folder = has_folder && strlen(x->key) == folder_len &&
				strncmp(x->key, path, folder_len) == 0;

		if (!pattern_match(x->patterns, path))
			continue;
		x->used = 1;
		if (apply(x, is_folder, rules, e) < 0 ||
		    take(x, "language", x->language, &out->language, e) < 0 ||
		    take(x, "entrypoint", x->entrypoint, &out->entrypoint, e) < 0)
			return -1;
	}
	return 0;
}
