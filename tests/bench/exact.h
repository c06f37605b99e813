/*
 * exact.h - the parts of bench_exact: each adds its rows to the table.
 */
#ifndef EXACT_H
#define EXACT_H

#include "tests/bench/peers.h"
#include "tests/bench/series.h"

struct err;

#define EXACT_SPIN "build/bench/spin"

struct exact {
	unsigned runs;       /* of a row of overruns; a row of spread has a tenth of them */
	unsigned neighbours; /* busy cells beside the measured one */
	struct peers prepared;
	struct table table;
};

/* A copy that lives as long as the program: a row's name. */
const char *exact_text(const char *text);

/* Says on standard error what is being measured; on a terminal, how far it is (of 0: not counted). */
void exact_progress(const char *what, unsigned done, unsigned of);

/* CPU time beyond a limit. */
int exact_overruns(struct exact *x, struct err *e);

/* The same program again and again, idle and with all cells busy, under us and under others; and its verdicts. */
int exact_spreads(struct exact *x, struct err *e);

#endif
