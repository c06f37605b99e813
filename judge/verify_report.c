#include "judge/verify_report.h"

#include "judge/problem.h"
#include "proto/scope.h"

#define MESSAGE_SHOWN 160 /* bytes of a message in the table: its first line, cut */

static int as_expected(const struct verify_outcome *o)
{
	return problem_expected(o->submission, o->verdict);
}

size_t verify_unexpected(const struct verify_report *p)
{
	size_t bad = 0;

	for (size_t i = 0; i < p->n; i++)
		bad += !as_expected(&p->outcomes[i]);
	return bad;
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

static void print_row(const struct verify_outcome *o, int width)
{
	char expected[64], cpu[24] = "-", memory[24] = "-";
	int wall;

	problem_expectation(o->submission, expected, sizeof(expected));
	if (o->memory_peak_bytes) {
		snprintf(cpu, sizeof(cpu), "%.3f s", (double)o->cpu_time_us / 1e6);
		snprintf(memory, sizeof(memory), "%.1f MiB",
			 (double)o->memory_peak_bytes / 1048576);
	}
	/* The CPU limit is what one expects of a TLE; when it was the wall clock, that is worth a word. */
	wall = o->reason && strcmp(o->reason, "wall") == 0;
	printf("%-3s %-*s  %-10s  %-8s  %-4s  %9s  %11s  %s%s\n", as_expected(o) ? "ok" : "BAD",
	       width, o->submission->name, o->language ? o->language : "-", expected,
	       o->verdict ? problem_verdict_code(o->verdict) : "-", cpu, memory,
	       o->test ? o->test : "", wall ? " (wall clock)" : "");
}

static void print_reason(const struct verify_outcome *o)
{
	char expected[64];
	size_t len = o->message ? strcspn(o->message, "\n") : 0;

	problem_expectation(o->submission, expected, sizeof(expected));
	printf("    %s: expected %s, got %s", o->submission->name, expected,
	       o->verdict ? problem_verdict_code(o->verdict) : "no verdict");
	if (o->test)
		printf(" on %s", o->test);
	if (len > 0)
		printf(": %.*s", (int)(len < MESSAGE_SHOWN ? len : MESSAGE_SHOWN), o->message);
	printf("\n");
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

void verify_print(const struct verify_report *p)
{
	const struct problem *q = p->problem;
	size_t bad = verify_unexpected(p);
	int width = name_width(p);

	if (!p->error) {
		printf("%s: %s, %zu tests, %g s, %llu MiB, version %.12s\n", q->name, q->title,
		       q->ncases, (double)q->limits.time_us / 1e6,
		       (unsigned long long)(q->limits.memory_bytes >> 20), q->version);
		printf("    %-*s  %-10s  %-8s  %-4s  %9s  %11s  %s\n", width, "submission",
		       "language", "expected", "got", "cpu", "memory", "decided by");
	}
	for (size_t i = 0; i < p->n; i++)
		print_row(&p->outcomes[i], width);
	for (size_t i = 0; i < p->n; i++)
		if (!as_expected(&p->outcomes[i]))
			print_reason(&p->outcomes[i]);
	for (size_t i = 0; i < p->n; i++)
		if (p->outcomes[i].transcript)
			print_transcript(&p->outcomes[i]);
	if (p->error)
		printf("%s: %s\n", p->dir, p->error);
	else
		printf("%s: %zu of %zu as expected\n", q->name, p->n - bad, p->n);
	(void)fflush(stdout);
}

static json_t *expected_to_json(const struct problem_submission *s)
{
	uint32_t set = s->required ? s->permitted & s->required : s->permitted;
	json_t *list = json_array();

	for (int v = 1; list && v < 32; v++)
		if (set & PROBLEM_VERDICT(v))
			json_array_append_new(list, json_string(problem_verdict_code(v)));
	return list;
}

/* Text of packages and programs may be anything; what is not UTF-8 is left out. */
static json_t *text(const char *s)
{
	json_t *out = s ? json_string(s) : NULL;

	return out ? out : json_null();
}

static json_t *outcome_to_json(const struct verify_outcome *o)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:I, s:I}", "name",
			 o->submission->name, "language", text(o->language), "expected",
			 expected_to_json(o->submission), "verdict",
			 text(o->verdict ? problem_verdict_code(o->verdict) : NULL), "as_expected",
			 as_expected(o), "test", text(o->test), "reason", text(o->reason),
			 "message", text(o->message), "transcript", text(o->transcript),
			 "cpu_time_us", (json_int_t)o->cpu_time_us, "memory_peak_bytes",
			 (json_int_t)o->memory_peak_bytes);
}

json_t *verify_to_json(const struct verify_report *p)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < p->n; i++)
		json_array_append_new(list, outcome_to_json(&p->outcomes[i]));
	return json_pack("{s:o, s:o, s:o, s:b, s:o, s:o}", "package", text(p->dir), "name",
			 text(p->problem ? p->problem->name : NULL), "version",
			 text(p->problem ? p->problem->version : NULL), "as_expected",
			 !p->error && verify_unexpected(p) == 0, "error", text(p->error),
			 "submissions", list);
}
