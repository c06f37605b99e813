/*
 * speed.h - the parts of bench_speed, and what they share.
 *
 * A part adds its rows to the table of the bench; -1 means that something that must work did not.
 */
#ifndef SPEED_H
#define SPEED_H

#include "tests/bench/bare.h"
#include "tests/bench/series.h"

struct err;
struct sandbox_client;

struct plan {
	unsigned runs, idle_runs, cold_runs, tests, starts;
	const char *only; /* comma-separated names of parts; NULL: all */
	unsigned seed;
	int json;
};

struct bench {
	struct plan plan;
	struct table table;
	struct bare bare;
	double floor_ms; /* p50 of the clean baseline */
};

/* The programs, as the Makefile builds them. */
#define NOTHING "build/bench/nothing"
#define SUM     "build/bench/sum"
#define SANDBOX "build/bin/sandbox"
#define DAEMON  "build/bin/sandboxd"

/* What bare_run() is told to execute. */
enum {
	RUN_NOTHING,
	RUN_SUM,
	RUN_SANDBOX,
	RUN_BWRAP,
	RUN_ISOLATE,
	RUN_NSJAIL,
	RUN_RUNC,
};

/* speed.c */
void speed_progress(const char *what);
double speed_now_ms(void);
void speed_pause_ms(long ms);

/* A row of a jail of ours, compared with the baseline. */
struct row *speed_jail_row(struct bench *b, const char *name, const char *what, double target);

/* The file at path becomes /program/<its name>. */
int speed_keep(struct sandbox_client *c, const char *path, struct err *e);

/* One run of a program that must end well; in: a sealed memfd or -1; expect: what it must print, or NULL. */
int speed_run(struct sandbox_client *c, const char *path, int in, const char *expect, double *ms,
	      struct err *e);

/* speed_warm.c: runs in cells that wait for them. */
int speed_warm(struct bench *b, struct err *e);

/* speed_tests.c: after idleness, and many tests of one submission. */
int speed_idle(struct bench *b, struct err *e);
int speed_tests(struct bench *b, struct err *e);

/* speed_cold.c: whole processes beside other sandboxes, and starting sixteen cells. */
int speed_cold(struct bench *b, struct err *e);
int speed_sixteen(struct bench *b, struct err *e);

#endif
