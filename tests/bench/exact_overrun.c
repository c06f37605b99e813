#include <stdio.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "tests/bench/exact.h"
#include "tests/bench/jailed.h"

#define LIMIT_MS 40

static const struct load {
	const char *kind, *count, *words;
} loads[] = {
	{"threads", "1", "thread"},       {"threads", "4", "threads"},
	{"threads", "16", "threads"},     {"processes", "4", "processes"},
	{"processes", "16", "processes"},
};

static struct row *new_row(struct exact *x, const struct load *load, int pinned)
{
	char name[64];
	char text[96];

	snprintf(name, sizeof(name), "overrun/%s/%s%s", load->count, load->kind,
		 pinned ? "/pinned" : "");
	snprintf(text, sizeof(text), "overrun of %d ms, %s %s, %s", LIMIT_MS, load->count,
		 load->words, pinned ? "pinned to one CPU" : "on all CPUs");
	struct row *row = table_row(&x->table, exact_text(name), exact_text(text));

	row->verify = "on";
	row->target = pinned ? 1 : 5;
	row->target_percent = 99;
	return row;
}

/* One run: how far it got over the limit by the count that is reported, everything dead. */
static int overrun(struct jailed *j, const struct load *load, int pinned, struct row *row,
		   struct err *e)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	char *argv[] = {"/program/spin", (char *)load->kind, (char *)load->count, NULL};
	struct jailed_run what = {.argv = argv,
				  .policy = "native",
				  .cpu_time_us = LIMIT_MS * 1000,
				  .wall_time_us = 30000000,
				  .cpu_milli = 1000 * (uint32_t)cpus,
				  .pin_cpu = pinned ? (int)cpus : 0};
	struct err refused;
	struct jailed_report r;

	if (jailed_run(j, &what, &r, &refused) < 0) {
		snprintf(row->note, sizeof(row->note), "%s", refused.msg);
		return 0;
	}
	if (r.status != SANDBOX__STATUS__CPU_TIME_LIMIT)
		return err_set(e, "%s: ended with status %d, not by the CPU limit: %s", row->what,
			       r.status, r.text);
	series_add(&row->runs, (double)r.cpu_time_us / 1e3 - LIMIT_MS);
	return 0;
}

/* One load after the other, again and again: what disturbs the machine for a while disturbs all of them. */
static int overruns(struct exact *x, struct jailed *j, int pinned, struct err *e)
{
	struct row *rows[ARRAY_LEN(loads)];

	for (size_t k = 0; k < ARRAY_LEN(loads); k++)
		rows[k] = new_row(x, &loads[k], pinned);
	for (unsigned i = 0; i < x->runs; i++) {
		exact_progress(pinned ? "overrun, pinned to one CPU" : "overrun, on all CPUs", i,
			       x->runs);
		for (size_t k = 0; k < ARRAY_LEN(loads); k++)
			if (overrun(j, &loads[k], pinned, rows[k], e) < 0)
				return -1;
	}
	return 0;
}

int exact_overruns(struct exact *x, struct err *e)
{
	struct jailed j;
	int status;

	if (jailed_open(&j, NULL, e) < 0)
		return -1;
	status = jailed_keep(&j, EXACT_SPIN, e);
	if (status == 0)
		status = overruns(x, &j, 0, e);
	if (status == 0)
		status = overruns(x, &j, 1, e);
	jailed_close(&j);
	return status;
}
