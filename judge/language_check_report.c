#include "judge/language_check_report.h"

#include <jansson.h>

#include "judge/grade.h"
#include "judge/language.h"
#include "proto/scope.h"

#define MESSAGE_SHOWN 200 /* bytes of a message in the list: its first line, cut */
#define MIB           1048576.0

static const struct {
	const char *name;
	Judge__V1__Verdict verdict;
} kinds[CHECK_KINDS] = {
	[CHECK_ACCEPTED] = {"accepted", JUDGE__V1__VERDICT__ACCEPTED},
	[CHECK_WRONG] = {"wrong", JUDGE__V1__VERDICT__WRONG_ANSWER},
	[CHECK_CRASH] = {"crash", JUDGE__V1__VERDICT__RUN_TIME_ERROR},
	[CHECK_SLOW] = {"slow", JUDGE__V1__VERDICT__TIME_LIMIT_EXCEEDED},
	[CHECK_BIG] = {"big", JUDGE__V1__VERDICT__MEMORY_LIMIT_EXCEEDED},
};

const char *language_check_name(enum language_check_kind kind)
{
	return kinds[kind].name;
}

const char *language_check_expected(enum language_check_kind kind)
{
	return grade_code(kinds[kind].verdict);
}

int language_check_ok(const struct language_check_report *r, const struct language_check_row *row,
		      enum language_check_kind kind)
{
	const struct language_check_outcome *o = &row->outcomes[kind];

	if (kind == CHECK_BIG && o->verdict == JUDGE__V1__VERDICT__RUN_TIME_ERROR)
		return o->memory_peak_bytes >= r->memory_limit_bytes / 2;
	if (kind == CHECK_SLOW && (!o->reason || strcmp(o->reason, "cpu") != 0))
		return 0;
	return o->verdict == (int)kinds[kind].verdict;
}

int language_check_row_ok(const struct language_check_report *r,
			  const struct language_check_row *row)
{
	for (int kind = 0; kind < CHECK_KINDS; kind++)
		if (!language_check_ok(r, row, (enum language_check_kind)kind))
			return 0;
	return 1;
}

size_t language_check_failures(const struct language_check_report *r)
{
	size_t bad = r->broken;

	for (size_t i = 0; i < r->n; i++)
		bad += !language_check_row_ok(r, &r->rows[i]);
	return bad;
}

static const char *code_of(const struct language_check_outcome *o)
{
	return o->verdict ? grade_code((Judge__V1__Verdict)o->verdict) : "-";
}

static double seconds(const struct language_check_row *row)
{
	int64_t us = 0;

	for (int kind = 0; kind < CHECK_KINDS; kind++)
		us += row->outcomes[kind].wall_us;
	return (double)us / 1e6;
}

/* Time and memory are those of the program that is right: what the runtime takes for next to no work. */
static void print_row(const struct language_check_report *r, const struct language_check_row *row)
{
	const struct language_check_outcome *right = &row->outcomes[CHECK_ACCEPTED];

	printf("%-3s %-12s", language_check_row_ok(r, row) ? "ok" : "BAD", row->language->name);
	for (int kind = 0; kind < CHECK_KINDS; kind++)
		printf("  %-*s", (int)strlen(kinds[kind].name), code_of(&row->outcomes[kind]));
	printf("  %6.3f s  %6.1f MiB  %5.1f s  %.50s\n", (double)right->cpu_time_us / 1e6,
	       (double)right->memory_peak_bytes / MIB, seconds(row),
	       row->language->found ? row->language->found : "");
}

/* What a verdict alone does not tell: which limit, and how much memory "too big" got. */
static void print_details(const struct language_check_outcome *o)
{
	size_t len = o->message ? strcspn(o->message, "\n") : 0;

	if (o->reason && o->reason[0])
		printf(" (%s)", o->reason);
	if (o->memory_peak_bytes)
		printf(", %.1f MiB", (double)o->memory_peak_bytes / MIB);
	if (len > 0)
		printf(": %.*s", (int)(len < MESSAGE_SHOWN ? len : MESSAGE_SHOWN), o->message);
	printf("\n");
}

static void print_failures(const struct language_check_report *r,
			   const struct language_check_row *row)
{
	for (int kind = 0; kind < CHECK_KINDS; kind++) {
		if (language_check_ok(r, row, (enum language_check_kind)kind))
			continue;
		printf("    %s/%s: expected %s, got %s", row->language->name, kinds[kind].name,
		       language_check_expected((enum language_check_kind)kind),
		       code_of(&row->outcomes[kind]));
		print_details(&row->outcomes[kind]);
	}
}

static void print_missing(const struct language_check_report *r)
{
	if (r->nmissing == 0)
		return;
	printf("not installed:");
	for (size_t i = 0; i < r->nmissing; i++)
		printf(" %s", r->missing[i]->name);
	printf("\n");
}

void language_check_print(const struct language_check_report *r)
{
	size_t bad = language_check_failures(r);

	if (r->error) {
		printf("%s\n", r->error);
		return;
	}
	printf("    %-12s", "language");
	for (int kind = 0; kind < CHECK_KINDS; kind++)
		printf("  %s", kinds[kind].name);
	printf("  %8s  %10s  %7s  version\n", "cpu", "memory", "took");
	for (size_t i = 0; i < r->n; i++)
		print_row(r, &r->rows[i]);
	for (size_t i = 0; i < r->n; i++)
		print_failures(r, &r->rows[i]);
	print_missing(r);
	printf("%zu of %zu languages as expected\n", r->n + r->broken - bad, r->n + r->broken);
}

/* What compilers and programs say may be anything; what is not UTF-8 is left out. */
static json_t *text(const char *s)
{
	json_t *out = s ? json_string(s) : NULL;

	return out ? out : json_null();
}

static json_t *program_to_json(const struct language_check_report *r,
			       const struct language_check_row *row, enum language_check_kind kind)
{
	const struct language_check_outcome *o = &row->outcomes[kind];

	return json_pack("{s:s, s:s, s:o, s:b, s:o, s:o, s:I, s:I, s:I}", "program",
			 kinds[kind].name, "expected", language_check_expected(kind), "verdict",
			 text(o->verdict ? code_of(o) : NULL), "ok",
			 language_check_ok(r, row, kind), "reason", text(o->reason), "message",
			 text(o->message), "cpu_time_us", (json_int_t)o->cpu_time_us,
			 "memory_peak_bytes", (json_int_t)o->memory_peak_bytes, "wall_time_us",
			 (json_int_t)o->wall_us);
}

static json_t *row_to_json(const struct language_check_report *r,
			   const struct language_check_row *row)
{
	json_t *programs = json_array();

	for (int kind = 0; programs && kind < CHECK_KINDS; kind++)
		json_array_append_new(programs,
				      program_to_json(r, row, (enum language_check_kind)kind));
	return json_pack("{s:s, s:o, s:o, s:b, s:o}", "name", row->language->name, "title",
			 text(row->language->title), "version", text(row->language->found), "ok",
			 language_check_row_ok(r, row), "programs", programs);
}

static json_t *missing_to_json(const struct language_check_report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < r->nmissing; i++)
		json_array_append_new(list, json_pack("{s:s, s:o}", "name", r->missing[i]->name,
						      "reason", text(r->missing[i]->reason)));
	return list;
}

void language_check_print_json(const struct language_check_report *r)
{
	json_t *list = json_array();
	json_t *root;

	for (size_t i = 0; list && i < r->n; i++)
		json_array_append_new(list, row_to_json(r, &r->rows[i]));
	root = json_pack("{s:b, s:o, s:o, s:o}", "ok", !r->error && language_check_failures(r) == 0,
			 "error", text(r->error), "languages", list, "missing", missing_to_json(r));
	json_dumpf(root, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(root);
}
