#include "judge/expect.h"

#include "judge/grade.h"
#include "judge/names.h"
#include "judge/pattern.h"
#include "proto/err.h"
#include "proto/scope.h"

#define BIT(name) EXPECT_BIT(JUDGE__V1__VERDICT__##name)
#define AC        BIT(ACCEPTED)
#define WA        BIT(WRONG_ANSWER)
#define TLE       BIT(TIME_LIMIT_EXCEEDED)
#define MLE       BIT(MEMORY_LIMIT_EXCEEDED)
#define OLE       BIT(OUTPUT_LIMIT_EXCEEDED)
#define RTE       BIT(RUN_TIME_ERROR)
#define SV        BIT(SECURITY_VIOLATION)
#define CE        BIT(COMPILE_ERROR)

/* clang-format off */
static const struct folder {
	const char *name;
	int legacy, new;
	struct expect_rule rule;
} folders[] = {
	{"accepted",            1, 1, {.permitted = AC, .required = AC}},
	{"wrong_answer",        0, 1, {.permitted = AC | WA, .required = WA}},
	{"run_time_error",      0, 1, {.permitted = AC | RTE, .required = RTE}},
	{"time_limit_exceeded", 0, 1, {.permitted = AC | TLE, .required = TLE}},
	{"rejected",            0, 1, {.required = RTE | TLE | WA}},
	{"brute_force",         0, 1, {.permitted = AC | RTE | TLE, .required = RTE | TLE}},
	/* In the old format what is too slow may also be wrong, what crashes may do anything; only accepted ones bound the limit. */
	{"wrong_answer",        1, 0, {.permitted = AC | WA, .required = WA, .time = EXPECT_TIME_UNUSED}},
	{"time_limit_exceeded", 1, 0, {.permitted = AC | WA | TLE, .required = TLE}},
	{"run_time_error",      1, 0, {.required = RTE}},
	{"partially_accepted",  1, 0, {.verdict = AC, .partial = 1}},
	/* DOMjudge's */
	{"compiler_error",      1, 0, {.verdict = CE}},
	{"no_output",           1, 0, {.verdict = WA}},
	{"output_limit",        1, 0, {.verdict = OLE}},
	{"memory_limit",        1, 0, {.verdict = MLE}},
	{"check_manually",      1, 0, {.verdict = ~0U}},
	/* Ours: the formats do not have them. */
	{"compile_error",         1, 1, {.verdict = CE}},
	{"memory_limit_exceeded", 1, 1, {.permitted = AC | MLE, .required = MLE, .time = EXPECT_TIME_UNUSED}},
	{"output_limit_exceeded", 1, 1, {.permitted = AC | OLE, .required = OLE, .time = EXPECT_TIME_UNUSED}},
	{"security_violation",    1, 1, {.permitted = AC | SV, .required = SV, .time = EXPECT_TIME_UNUSED}},
};

/* DOMjudge's names; it folds nothing but calls what has no output wrong. */
static const struct {
	const char *name;
	uint32_t set;
} words[] = {
	{"CORRECT", AC}, {"ACCEPTED", AC},
	{"WRONG-ANSWER", WA}, {"WRONG_ANSWER", WA},
	{"NO-OUTPUT", WA}, {"NO_OUTPUT", WA},
	{"TIMELIMIT", TLE}, {"TIME_LIMIT_EXCEEDED", TLE},
	{"RUN-ERROR", RTE}, {"RUN_TIME_ERROR", RTE},
	{"COMPILER-ERROR", CE}, {"COMPILER_ERROR", CE},
	{"OUTPUT-LIMIT", OLE}, {"OUTPUT_LIMIT", OLE},
	{"MEMORY-LIMIT", MLE}, {"MEMORY_LIMIT", MLE},
	{"CHECK-MANUALLY", ~0U}, {"CHECK_MANUALLY", ~0U}, {"NONE", ~0U},
};
/* clang-format on */

void expect_release(struct expect_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++) {
		pattern_free(rules->items[i].tests);
		free(rules->items[i].message);
	}
	free(rules->items);
	*rules = (struct expect_rules){NULL, 0};
}

struct expect_rule *expect_add(struct expect_rules *rules)
{
	struct expect_rule *grown = reallocarray(rules->items, rules->n + 1, sizeof(*rules->items));

	if (!grown)
		return NULL;
	rules->items = grown;
	grown[rules->n] = (struct expect_rule){.tests = NULL};
	return &grown[rules->n++];
}

int expect_folder(const char *folder, int legacy, struct expect_rules *rules, struct err *e)
{
	struct expect_rule *rule;

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		const struct folder *f = &folders[i];

		if (!(legacy ? f->legacy : f->new) || strcmp(f->name, folder) != 0)
			continue;
		rule = expect_add(rules);
		if (!rule)
			return err_sys(e, "%s", folder);
		*rule = f->rule;
		return 1;
	}
	return 0;
}

/* One word of a list, in any case, with spaces around it. */
static int add_word(const char *file, const char *text, size_t len, uint32_t *set, struct err *e)
{
	char shown[48];

	while (len > 0 && strchr(" \t\r", text[len - 1]))
		len--;
	while (len > 0 && strchr(" \t", text[0])) {
		text++;
		len--;
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strlen(words[i].name) == len && strncasecmp(words[i].name, text, len) == 0) {
			*set |= words[i].set;
			return 0;
		}
	names_escape(text, len, shown, sizeof(shown));
	return err_set(e,
		       "%.100s: @EXPECTED_RESULTS@: \"%s\" is no verdict, expected some of "
		       "CORRECT, WRONG-ANSWER, TIMELIMIT, RUN-ERROR, COMPILER-ERROR, "
		       "NO-OUTPUT, OUTPUT-LIMIT",
		       file, shown);
}

static int read_results(const char *file, const char *line, size_t len, struct expect_rule *rule,
			struct err *e)
{
	for (const char *end = line + len; line <= end;) {
		const char *comma = memchr(line, ',', (size_t)(end - line));
		const char *stop = comma ? comma : end;

		if (add_word(file, line, (size_t)(stop - line), &rule->verdict, e) < 0)
			return -1;
		line = stop + 1;
	}
	return 0;
}

static int read_score(const char *file, const char *line, size_t len, struct expect_rule *rule,
		      struct err *e)
{
	for (; len > 0 && strchr(" \t\r", line[len - 1]);)
		len--;
	for (; len > 0 && strchr(" \t", line[0]); len--)
		line++;
	rule->has_score = 1;
	if (score_parse(line, len, &rule->score_low) < 0)
		return err_set(e, "%.100s: @EXPECTED_SCORE@: expected a number", file);
	rule->score_high = rule->score_low;
	return 0;
}

/* Whether text is the beginning of a tag with that name: "@EXPECTED_NAME@: ". */
static int is_tag(const char *text, size_t len, const char *tag)
{
	size_t n = strlen(tag);

	return len >= n && strncasecmp(text, tag, n) == 0;
}

/* The tag of this name that text begins with; its line ends before end. */
static int read_tag(const char *file, const char *text, const char *end, int is_score,
		    struct expect_rules *rules, struct err *e)
{
	const char *stop = memchr(text, '\n', (size_t)(end - text));
	size_t len = (size_t)((stop ? stop : end) - text);
	struct expect_rule *rule = expect_add(rules);

	if (!rule)
		return err_sys(e, "%s", file);
	return is_score ? read_score(file, text, len, rule, e)
			: read_results(file, text, len, rule, e);
}

int expect_tag(const char *file, const char *text, size_t len, struct expect_rules *rules,
	       struct err *e)
{
	static const char results[] = "@EXPECTED_RESULTS@: ", score[] = "@EXPECTED_SCORE@: ";
	const char *end = text + len;
	int found = 0;

	for (const char *at = text; (at = memchr(at, '@', (size_t)(end - at))); at++) {
		int is_score = is_tag(at, (size_t)(end - at), score);

		if (!is_score && !is_tag(at, (size_t)(end - at), results))
			continue;
		if (found++)
			return err_set(e, "%.100s: more than one @EXPECTED_...@ tag", file);
		at += strlen(is_score ? score : results);
		if (read_tag(file, at, end, is_score, rules, e) < 0)
			return -1;
		if (at == end)
			break;
	}
	return found;
}

static int fits(uint32_t set, int verdict)
{
	uint32_t bits =
		EXPECT_BIT(verdict) | EXPECT_BIT((int)grade_fold((Judge__V1__Verdict)verdict));

	return (set & bits) != 0;
}

static int applies(const struct expect_rule *rule, const char *test)
{
	return !rule->tests || pattern_match(rule->tests, test);
}

void expect_set_text(uint32_t set, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (int v = 1; v <= JUDGE__V1__VERDICT__COMPILE_ERROR && at < size; v++)
		if (set & EXPECT_BIT(v))
			at += (size_t)snprintf(out + at, size - at, "%s%s", at ? " or " : "",
					       grade_code((Judge__V1__Verdict)v));
}

static enum expect_state broken(char *why, uint32_t set, const struct expect_run *run)
{
	char text[80];

	expect_set_text(set, text, sizeof(text));
	snprintf(why, EXPECT_WHY_MAX, "%s on %.60s, where only %s may be",
		 grade_code((Judge__V1__Verdict)run->verdict), run->test, text);
	return EXPECT_BROKEN;
}

static enum expect_state missing(char *why, const char *what, const struct expect_rule *rule)
{
	snprintf(why, EXPECT_WHY_MAX, "no test%s%.60s %s", rule->tests ? " of " : "",
		 rule->tests ? rule->tests[0] : "", what);
	return EXPECT_OPEN;
}

/* What one rule says of tests. */
static enum expect_state check_tests(const struct expect_rule *rule, const struct expect_run *runs,
				     size_t n, char *why)
{
	int required = rule->required == 0, message = rule->message == NULL;
	char what[120], set[80];

	for (size_t i = 0; i < n; i++) {
		if (!applies(rule, runs[i].test))
			continue;
		if (rule->permitted && !fits(rule->permitted, runs[i].verdict))
			return broken(why, rule->permitted, &runs[i]);
		required = required || fits(rule->required, runs[i].verdict);
		message = message || (runs[i].message && strstr(runs[i].message, rule->message));
	}
	expect_set_text(rule->required, set, sizeof(set));
	snprintf(what, sizeof(what), "gets %s", set);
	if (!required)
		return missing(why, what, rule);
	snprintf(what, sizeof(what), "has \"%.40s\" in the judges' message",
		 rule->message ? rule->message : "");
	return message ? EXPECT_MET : missing(why, what, rule);
}

/* Nobody expects of the judge that it fails, and only who says so that a program does not compile. */
static enum expect_state check_verdict(const struct expect_rules *rules, int verdict, char *why)
{
	uint32_t set = 0, own;
	char text[80];
	int ok = 1;

	for (size_t i = 0; i < rules->n; i++) {
		own = rules->items[i].verdict;
		ok = ok && (!own || fits(own, verdict));
		set |= own;
	}
	if (verdict == JUDGE__V1__VERDICT__JUDGE_ERROR ||
	    (verdict == JUDGE__V1__VERDICT__COMPILE_ERROR && !fits(set, verdict)))
		ok = 0;
	expect_set_text(set, text, sizeof(text));
	if (!ok)
		snprintf(why, EXPECT_WHY_MAX, "the verdict is %s%s%s",
			 grade_code((Judge__V1__Verdict)verdict), set ? ", expected " : "", text);
	return ok ? EXPECT_MET : EXPECT_BROKEN;
}

enum expect_state expect_check(const struct expect_rules *rules, const struct expect_run *runs,
			       size_t n, int verdict, char *why)
{
	enum expect_state all = EXPECT_MET;

	why[0] = '\0';
	if (verdict && check_verdict(rules, verdict, why) == EXPECT_BROKEN)
		return EXPECT_BROKEN;
	for (size_t i = 0; i < rules->n; i++) {
		enum expect_state state = check_tests(&rules->items[i], runs, n, why);

		if (state == EXPECT_BROKEN)
			return state;
		all = state == EXPECT_OPEN ? state : all;
	}
	return all;
}

int expect_wants_all(const struct expect_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		if (rules->items[i].tests)
			return 1;
	return 0;
}

static int bounds(const struct expect_rule *r, enum expect_time which)
{
	if (r->time != EXPECT_TIME_DERIVED)
		return r->time == which;
	if (which == EXPECT_TIME_UPPER)
		return r->required == TLE;
	return r->permitted && !(r->permitted & TLE);
}

int expect_bounds(const struct expect_rules *rules, enum expect_time which, const char *test)
{
	for (size_t i = 0; i < rules->n; i++)
		if (bounds(&rules->items[i], which) && (!test || applies(&rules->items[i], test)))
			return 1;
	return 0;
}

uint32_t expect_shown(const struct expect_rules *rules)
{
	uint32_t set = ~0U;

	for (size_t i = 0; i < rules->n; i++) {
		const struct expect_rule *r = &rules->items[i];
		uint32_t own = r->verdict ? r->verdict : ~0U;

		if (r->tests)
			continue;
		own &= r->permitted ? r->permitted : ~0U;
		own &= r->required ? r->required : ~0U;
		set &= own;
	}
	return set;
}
