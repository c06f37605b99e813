#include "judge/verify_report.h"

#include "judge/grade.h"
#include "judge/problem.h"
#include "proto/judge.pb-c.h"
#include "proto/scope.h"

#define MESSAGE_SHOWN 160 /* bytes of a message in the table: its first line, cut */
#define GROUP_WIDTH   8

static int as_expected(const struct verify_outcome *o)
{
	return o->verdict != 0 && o->state == EXPECT_MET;
}

size_t verify_unexpected(const struct verify_report *p)
{
	size_t bad = 0;

	for (size_t i = 0; i < p->n; i++)
		bad += !as_expected(&p->outcomes[i]);
	return bad;
}

/* The package's limit is too near to one of these. */
static void warn_lower(const struct problem *q, struct verify_margin *m)
{
	double need = (double)m->slowest->lower_us * q->timing.ac_to_limit;

	if (need > (double)q->limits.time_us)
		snprintf(
			m->warnings[0], sizeof(m->warnings[0]),
			"the limit of %g s is below %g times the slowest accepted (%.80s, %.3f s): "
			"%.3f s would be enough",
			(double)q->limits.time_us / 1e6, q->timing.ac_to_limit,
			m->slowest->submission->name, (double)m->slowest->lower_us / 1e6,
			need / 1e6);
}

static void warn_upper(const struct problem *q, struct verify_margin *m)
{
	double need = (double)q->limits.time_us * q->timing.limit_to_tle;

	if (!m->fastest->at_least && (double)m->fastest->upper_us < need)
		snprintf(
			m->warnings[1], sizeof(m->warnings[1]),
			"%sthe fastest too slow one (%.80s) needs %.3f s on its slowest test, less "
			"than "
			"%g times the limit of %g s",
			q->timing.measured ? "no limit fits: " : "", m->fastest->submission->name,
			(double)m->fastest->upper_us / 1e6, q->timing.limit_to_tle,
			(double)q->limits.time_us / 1e6);
}

struct verify_margin verify_margin(const struct verify_report *p)
{
	struct verify_margin m = {.slowest = NULL};

	for (size_t i = 0; i < p->n; i++) {
		const struct verify_outcome *o = &p->outcomes[i];

		if (o->lower_us && (!m.slowest || o->lower_us > m.slowest->lower_us))
			m.slowest = o;
		if (o->upper_us && (!m.fastest || o->upper_us < m.fastest->upper_us))
			m.fastest = o;
	}
	if (m.slowest)
		warn_lower(p->problem, &m);
	if (m.fastest)
		warn_upper(p->problem, &m);
	return m;
}

int verify_good(const struct verify_report *p)
{
	if (p->error || !p->problem || verify_unexpected(p) > 0 || p->found.n > 0)
		return 0;
	return !p->problem->timing.measured || !verify_margin(p).warnings[1][0];
}

static int name_width(const struct verify_report *p)
{
	size_t width = strlen("submission");

	for (size_t i = 0; i < p->n; i++) {
		size_t len = strlen(p->outcomes[i].submission->name);

		width = len > width ? len : width;
	}
	return (int)(width < 60 ? width : 60);
}

/* "AC", "TLE or RTE", "any" */
static void expectation(const struct verify_outcome *o, char *out, size_t size)
{
	uint32_t set = expect_shown(&o->submission->rules);

	if (set == ~0U)
		snprintf(out, size, "any");
	else
		expect_set_text(set, out, size);
}

static const char *code(const struct verify_outcome *o)
{
	return o->verdict ? grade_code((Judge__V1__Verdict)o->verdict) : NULL;
}

static void print_row(const struct verify_outcome *o, int width)
{
	char expected[80], cpu[24] = "-", memory[24] = "-";
	int wall;

	expectation(o, expected, sizeof(expected));
	if (o->memory_peak_bytes) {
		snprintf(cpu, sizeof(cpu), "%.3f s", (double)o->cpu_time_us / 1e6);
		snprintf(memory, sizeof(memory), "%.1f MiB",
			 (double)o->memory_peak_bytes / 1048576);
	}
	/* The CPU limit is what one expects of a TLE; when it was the wall clock, that is worth a word. */
	wall = o->reason && strcmp(o->reason, "wall") == 0;
	printf("%-3s %-*s  %-10s  %-8s  %-4s  %9s  %11s  %s%s\n", as_expected(o) ? "ok" : "BAD",
	       width, o->submission->name, o->language ? o->language : "-", expected,
	       code(o) ? code(o) : "-", cpu, memory, o->test ? o->test : "",
	       wall ? " (wall clock)" : "");
}

static void print_reason(const struct verify_outcome *o)
{
	char expected[80];
	size_t len = o->message ? strcspn(o->message, "\n") : 0;

	expectation(o, expected, sizeof(expected));
	printf("    %s: expected %s, got %s", o->submission->name, expected,
	       code(o) ? code(o) : "no verdict");
	if (o->test)
		printf(" on %s", o->test);
	if (len > 0)
		printf(": %.*s", (int)(len < MESSAGE_SHOWN ? len : MESSAGE_SHOWN), o->message);
	printf("%s%s%s\n", o->why[0] ? " (" : "", o->why, o->why[0] ? ")" : "");
}

/* "AC 20", "WA", "-" */
static void group_cell(const struct verify_outcome *o, size_t group, char *out, size_t size)
{
	const Judge__V1__GroupResult *g =
		o->score && group < o->score->n_groups ? o->score->groups[group] : NULL;

	if (!g || (g->verdict == 0 && !g->score[0]))
		snprintf(out, size, "-");
	else
		snprintf(out, size, "%s%s%.20s", g->verdict ? grade_code(g->verdict) : "",
			 g->verdict && g->score[0] ? " " : "", g->score);
}

static void print_groups_of(const struct verify_outcome *o, int width, const Judge__V1__Score *head)
{
	printf("    %-*s", width, o->submission->name);
	for (size_t i = 0; i < head->n_groups; i++) {
		char cell[32];
		int wide = (int)strlen(head->groups[i]->name);

		group_cell(o, i, cell, sizeof(cell));
		printf("  %-*s", wide < GROUP_WIDTH ? GROUP_WIDTH : wide, cell);
	}
	printf("  %s\n", o->score ? o->score->score : "");
}

/* What each group of tests gave: of a scoring problem, or one with more groups than every problem has. */
static void print_groups(const struct verify_report *p, int width)
{
	const Judge__V1__Score *head = NULL;

	for (size_t i = 0; !head && i < p->n; i++)
		head = p->outcomes[i].score;
	if (!head)
		return;
	printf("    %-*s", width, "groups");
	for (size_t i = 0; i < head->n_groups; i++)
		printf("  %-*s", GROUP_WIDTH, head->groups[i]->name);
	printf("  %s%s%s\n", p->problem->kind & PROBLEM_SCORING ? "score" : "",
	       head->max_score[0] ? " of " : "", head->max_score);
	for (size_t i = 0; i < p->n; i++)
		print_groups_of(&p->outcomes[i], width, head);
}

static void print_margin(const struct verify_report *p)
{
	struct verify_margin m = verify_margin(p);

	printf("time: ");
	if (m.slowest)
		printf("slowest accepted %.3f s (%s), ", (double)m.slowest->lower_us / 1e6,
		       m.slowest->submission->name);
	printf("limit %g s%s", (double)p->problem->limits.time_us / 1e6,
	       p->problem->timing.measured ? " (measured)" : "");
	if (m.fastest)
		printf(", fastest too slow %s%.3f s (%s)", m.fastest->at_least ? "over " : "",
		       (double)m.fastest->upper_us / 1e6, m.fastest->submission->name);
	printf("\n");
	for (size_t i = 0; i < ARRAY_LEN(m.warnings); i++)
		if (m.warnings[i][0])
			printf("warning: %s\n", m.warnings[i]);
}

static void print_head(const struct verify_report *p, int width)
{
	const struct problem *q = p->problem;

	printf("%s: %s, %zu tests, %g s, %llu MiB, version %.12s\n", q->name, q->title, q->ncases,
	       (double)q->limits.time_us / 1e6, (unsigned long long)(q->limits.memory_bytes >> 20),
	       q->version);
	printf("    %-*s  %-10s  %-8s  %-4s  %9s  %11s  %s\n", width, "submission", "language",
	       "expected", "got", "cpu", "memory", "decided by");
}

static void print_transcript(const struct verify_outcome *o)
{
	const char *line = o->transcript;

	printf("--- %s%s%s\n", o->submission->name, o->test ? ", " : "", o->test ? o->test : "");
	while (*line) {
		size_t len = strcspn(line, "\n");

		printf("    %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

static void print_found(const struct verify_report *p)
{
	const struct problem *q = p->problem;

	for (char **w = q ? q->warnings : NULL; w && *w; w++)
		printf("warning: %s\n", *w);
	for (size_t i = 0; i < p->found.n; i++)
		printf("BAD %s\n", p->found.items[i]);
	if (p->found.more)
		printf("BAD and %zu more of the kind\n", p->found.more);
}

void verify_print(const struct verify_report *p)
{
	size_t bad = verify_unexpected(p);
	int width = name_width(p);

	if (!p->error)
		print_head(p, width);
	for (size_t i = 0; i < p->n; i++)
		print_row(&p->outcomes[i], width);
	for (size_t i = 0; i < p->n; i++)
		if (!as_expected(&p->outcomes[i]))
			print_reason(&p->outcomes[i]);
	for (size_t i = 0; i < p->n; i++)
		if (p->outcomes[i].transcript)
			print_transcript(&p->outcomes[i]);
	if (!p->error) {
		print_groups(p, width);
		print_margin(p);
	}
	print_found(p);
	if (p->error)
		printf("%s: %s\n", p->dir, p->error);
	else
		printf("%s: %zu of %zu as expected\n", p->problem->name, p->n - bad, p->n);
	(void)fflush(stdout);
}

static json_t *expected_to_json(const struct problem_submission *s)
{
	uint32_t set = expect_shown(&s->rules);
	json_t *list = json_array();

	for (int v = 1; list && v <= JUDGE__V1__VERDICT__COMPILE_ERROR; v++)
		if (set & EXPECT_BIT(v))
			json_array_append_new(list, json_string(grade_code((Judge__V1__Verdict)v)));
	return list;
}

/* Text of packages and programs may be anything; what is not UTF-8 is left out. */
static json_t *text(const char *s)
{
	json_t *out = s ? json_string(s) : NULL;

	return out ? out : json_null();
}

/* null where there are no groups to speak of */
static json_t *groups_to_json(const Judge__V1__Score *score)
{
	json_t *list = score ? json_array() : json_null();

	for (size_t i = 0; score && list && i < score->n_groups; i++) {
		const Judge__V1__GroupResult *g = score->groups[i];

		json_array_append_new(
			list, json_pack("{s:s, s:o, s:o, s:i, s:i}", "name", g->name, "verdict",
					text(g->verdict ? grade_code(g->verdict) : NULL), "score",
					text(g->score[0] ? g->score : NULL), "tests", (int)g->tests,
					"judged", (int)g->judged));
	}
	return list;
}

static json_t *outcome_to_json(const struct verify_outcome *o)
{
	const char *score = o->score && o->score->score[0] ? o->score->score : NULL;

	return json_pack("{s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I}",
			 "name", o->submission->name, "language", text(o->language), "expected",
			 expected_to_json(o->submission), "verdict", text(code(o)), "as_expected",
			 as_expected(o), "unexpected", text(o->why[0] ? o->why : NULL), "test",
			 text(o->test), "reason", text(o->reason), "message", text(o->message),
			 "transcript", text(o->transcript), "score", text(score), "groups",
			 groups_to_json(o->score), "cpu_time_us", (json_int_t)o->cpu_time_us,
			 "memory_peak_bytes", (json_int_t)o->memory_peak_bytes);
}

static json_t *bound_to_json(const struct verify_outcome *o, uint64_t us)
{
	if (!o)
		return json_null();
	return json_pack("{s:s, s:I, s:b}", "name", o->submission->name, "cpu_time_us",
			 (json_int_t)us, "stopped", us == o->upper_us && o->at_least);
}

static json_t *margin_to_json(const struct verify_report *p)
{
	struct verify_margin m;

	if (p->error || !p->problem)
		return json_null();
	m = verify_margin(p);
	return json_pack(
		"{s:I, s:b, s:f, s:f, s:o, s:o}", "limit_us",
		(json_int_t)p->problem->limits.time_us, "measured", p->problem->timing.measured,
		"ac_to_time_limit", p->problem->timing.ac_to_limit, "time_limit_to_tle",
		p->problem->timing.limit_to_tle, "slowest_accepted",
		bound_to_json(m.slowest, m.slowest ? m.slowest->lower_us : 0), "fastest_too_slow",
		bound_to_json(m.fastest, m.fastest ? m.fastest->upper_us : 0));
}

static json_t *warnings_to_json(const struct verify_report *p)
{
	json_t *list = json_array();

	if (!p->error && p->problem) {
		struct verify_margin m = verify_margin(p);

		for (size_t i = 0; list && i < ARRAY_LEN(m.warnings); i++)
			if (m.warnings[i][0])
				json_array_append_new(list, text(m.warnings[i]));
	}
	for (char **w = p->problem ? p->problem->warnings : NULL; list && w && *w; w++)
		json_array_append_new(list, text(*w));
	return list;
}

static json_t *found_to_json(const struct verify_report *p)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < p->found.n; i++)
		json_array_append_new(list, text(p->found.items[i]));
	return list;
}

json_t *verify_to_json(const struct verify_report *p)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < p->n; i++)
		json_array_append_new(list, outcome_to_json(&p->outcomes[i]));
	return json_pack("{s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o}", "package", text(p->dir),
			 "name", text(p->problem ? p->problem->name : NULL), "version",
			 text(p->problem ? p->problem->version : NULL), "as_expected",
			 verify_good(p), "error", text(p->error), "time", margin_to_json(p),
			 "warnings", warnings_to_json(p), "data_errors", found_to_json(p),
			 "submissions", list);
}
