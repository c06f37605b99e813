/*
 * series.h - measured values of one kind, and the table they end up in.
 *
 * A row is what was timed, how often, its p50 and p99, and its ratio to a baseline where there is one.  Percentiles are values
 * that were measured (nearest rank), never interpolated: a p99 of ten runs is the slowest of them.
 */
#ifndef SERIES_H
#define SERIES_H

#include <stddef.h>

struct series {
	double *at;
	size_t n, room;
};

void series_add(struct series *s, double value);
double series_percentile(struct series *s, double percent); /* sorts; 0 when empty */
void series_release(struct series *s);

/* One line of the result. */
struct row {
	const char *name;      /* short and stable, for --json */
	const char *what;      /* what was timed, in words */
	const char *unit;      /* "ms", "MiB", "x" */
	struct series runs;    /* owned */
	double baseline;       /* p50 of what it is compared with, 0: nothing */
	int spread;            /* instead of a ratio say (p99 - p1) / p50 */
	double target_percent; /* the percentile that the target is about; 0: the 50th */
	double target; /* the most that the ratio, or the value without a baseline, should be; 0: none */
	const char *verify; /* "on", or "-" where there is no jail of ours */
	char note[256];     /* why there are no runs, or what should be known about them */
};

#define TABLE_ROWS 64

struct table {
	struct row rows[TABLE_ROWS];
	size_t n;
};

/* A new row at the end; it lives as long as the table. */
struct row *table_row(struct table *t, const char *name, const char *what);

/* The p50 (or target_percent), or its ratio to the baseline if there is one: what the target is about. */
double row_figure(struct row *r);

/* Text for people, or one JSON object with "rows" and the facts of the machine. */
void table_print(struct table *t, const char *title);
void table_print_json(struct table *t, const char *title);
void table_release(struct table *t);

#endif
