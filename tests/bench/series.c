#include "tests/bench/series.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

void series_add(struct series *s, double value)
{
	if (s->n == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		s->at = realloc(s->at, s->room * sizeof(double));
		if (!s->at)
			abort();
	}
	s->at[s->n++] = value;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

double series_percentile(struct series *s, double percent)
{
	size_t rank = (size_t)(percent / 100 * (double)s->n + 0.999999);

	if (s->n == 0)
		return 0;
	qsort(s->at, s->n, sizeof(double), ascending);
	return s->at[rank > 0 ? rank - 1 : 0];
}

void series_release(struct series *s)
{
	free(s->at);
	*s = (struct series){0};
}

struct row *table_row(struct table *t, const char *name, const char *what)
{
	if (t->n == TABLE_ROWS)
		abort();
	struct row *r = &t->rows[t->n++];

	*r = (struct row){.name = name, .what = what, .unit = "ms", .verify = "-"};
	return r;
}

double row_figure(struct row *r)
{
	double value = series_percentile(&r->runs, r->target_percent > 0 ? r->target_percent : 50);

	return r->baseline > 0 ? value / r->baseline : value;
}

static double spread(struct row *r)
{
	double p50 = series_percentile(&r->runs, 50);

	return p50 > 0 ? (series_percentile(&r->runs, 99) - series_percentile(&r->runs, 1)) / p50
		       : 0;
}

static const char *met(struct row *r)
{
	if (r->target <= 0 || r->runs.n == 0)
		return "";
	return row_figure(r) <= r->target ? "met" : "MISSED";
}

static void print_row(struct row *r)
{
	char ratio[16] = "";
	char target[32] = "";

	if (r->runs.n == 0) {
		printf("%-66s not measured: %s\n", r->what, r->note);
		return;
	}
	if (r->baseline > 0)
		snprintf(ratio, sizeof(ratio), "%.2fx", row_figure(r));
	if (r->spread)
		snprintf(ratio, sizeof(ratio), "%.1f%%", 100 * spread(r));
	if (r->target > 0)
		snprintf(target, sizeof(target), "%s<= %g%s %s",
			 r->target_percent > 50 ? "p99 " : "", r->target,
			 r->baseline > 0 ? "x" : "", met(r));
	printf("%-66s %6zu %9.3f %9.3f %9.3f %-4s %7s  %-6s %s\n", r->what, r->runs.n,
	       series_percentile(&r->runs, 10), series_percentile(&r->runs, 50),
	       series_percentile(&r->runs, 99), r->unit, ratio, r->verify, target);
	if (r->note[0])
		printf("    %s\n", r->note);
}

static void machine(char *text, size_t size)
{
	struct utsname u;
	double load[3] = {0};

	(void)uname(&u);
	(void)getloadavg(load, 3);
	snprintf(text, size, "Linux %s, %ld CPUs, load %.2f %.2f %.2f", u.release,
		 sysconf(_SC_NPROCESSORS_ONLN), load[0], load[1], load[2]);
}

void table_print(struct table *t, const char *title)
{
	char on[256];

	machine(on, sizeof(on));
	printf("%s (%s)\nratio: p50 to its baseline, or where it is a percentage (p99 - p1) / "
	       "p50\n\n",
	       title, on);
	printf("%-66s %6s %9s %9s %9s %-4s %7s  %-6s %s\n", "what was timed", "runs", "p10", "p50",
	       "p99", "", "ratio", "verify", "target");
	for (size_t i = 0; i < t->n; i++)
		print_row(&t->rows[i]);
	fflush(stdout);
}

static json_t *row_json(struct row *r)
{
	json_t *o =
		json_pack("{s:s, s:s, s:s, s:I, s:f, s:f, s:f, s:s}", "name", r->name, "what",
			  r->what, "unit", r->unit, "runs", (json_int_t)r->runs.n, "p10",
			  series_percentile(&r->runs, 10), "p50", series_percentile(&r->runs, 50),
			  "p99", series_percentile(&r->runs, 99), "verify", r->verify);

	if (r->baseline > 0)
		json_object_set_new(o, "ratio", json_real(row_figure(r)));
	if (r->spread)
		json_object_set_new(o, "spread", json_real(spread(r)));
	if (r->target > 0) {
		json_object_set_new(o, "target", json_real(r->target));
		json_object_set_new(o, "met",
				    json_boolean(r->runs.n > 0 && row_figure(r) <= r->target));
	}
	if (r->note[0])
		json_object_set_new(o, "note", json_string(r->note));
	return o;
}

void table_print_json(struct table *t, const char *title)
{
	char on[256];
	json_t *rows = json_array();
	json_t *all;

	machine(on, sizeof(on));
	for (size_t i = 0; i < t->n; i++)
		json_array_append_new(rows, row_json(&t->rows[i]));
	all = json_pack("{s:s, s:s, s:o}", "title", title, "machine", on, "rows", rows);
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	fflush(stdout);
	json_decref(all);
}

void table_release(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		series_release(&t->rows[i].runs);
	t->n = 0;
}
