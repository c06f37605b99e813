/*
 * run_parts.h - what run.c (set-up, measuring, the report), watch.c (the loop while the program runs) and deadline.c (its clocks) share.
 */
#ifndef RUN_PARTS_H
#define RUN_PARTS_H

#include <sched.h>

#include "sandbox/cell.h"
#include "sandbox/output.h"
#include "sandbox/run.h"

#define RUN_SAMPLE_US 20000 /* memory is looked at this often */

struct run {
	struct cell *cell;
	const Sandbox__Request *rq;
	const struct run_ties *ties;
	struct cgroup cgroup;
	struct output out, err_out;
	uint64_t output_left;
	int sync, pidfd, listener;
	uint64_t cpu_base_us; /* used by the set-up, not the program */
	int started;          /* the child has said that it is about to become the program */
	int refused;          /* or why it cannot: in setup_err */
	struct err setup_err;
	int64_t go_us; /* when it started; until then, when it was asked to */
	int64_t end_us, dying_us, sampled_us, starved_us;
	int64_t left_us, nap_us, cpu_due_us, sample_us; /* of deadline.c */
	int stays; /* we are on the program's CPU, and were allowed on these before */
	cpu_set_t before;
	Sandbox__Status fired; /* the first limit that was hit, or 0 */
	int killed;
	int init_done; /* init has told how it ended */
	struct run_result *result;
};

/* The reply under construction. */
Sandbox__Reply *run_report(struct run *r);

/* Sets the report's message, as valid UTF-8. */
void run_explain(struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Sleeps and looks until init has told how the program ended; the first limit that fires is in r->fired. */
int watch_run(struct run *r, struct err *e);

/* The first limit that fires is the one that counts: it kills all processes of the run. */
void watch_fire(struct run *r, Sandbox__Status status);

/* Checks the clocks; returns how long neither limit can be reached, -1 on failure. */
int64_t deadline_next_us(struct run *r, struct err *e);

/* Single looks, also used once everything is dead. */
int watch_init(struct run *r, struct err *e);
int watch_oom(struct run *r, struct err *e);
int watch_output(struct run *r, struct output *o, struct err *e);

/* Takes what the child has said since it was given the request: that it starts, or what failed. */
void watch_sync(struct run *r);

#endif
