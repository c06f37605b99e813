/*
 * run_parts.h - what run.c (set-up, measuring, the report), watch.c (the loop while the program runs) and deadline.c (its clocks) share.
 */
#ifndef RUN_PARTS_H
#define RUN_PARTS_H

#include <sched.h>

#include "sandbox/cell.h"
#include "sandbox/output.h"
#include "sandbox/run.h"

struct channel_frame;
struct jail_message;

#define RUN_SETUP_MS  10000 /* for init and the child to get ready, on a machine that is very busy */
#define RUN_SAMPLE_US 20000 /* memory is looked at this often */

struct run {
	struct cell *cell;
	const Sandbox__Request *rq;
	const struct run_ties *ties;
	struct cgroup cgroup;
	struct output out, err_out;
	uint64_t output_left;
	int sync, pidfd, listener;
	uint64_t cpu_base_us; /* used before "go": set-up, not the program's */
	int64_t go_us, end_us, dying_us, sampled_us, starved_us;
	int64_t left_us, nap_us; /* of deadline.c */
	int stays;               /* we are on the program's CPU, and were allowed on these before */
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

/* A reply of init that must come soon; the caller frees it and releases the frame.  NULL with *e on failure. */
Sandbox__Reply *run_init_reply(struct run *r, struct channel_frame *f, struct err *e);

/* The child's word, and its listener if it sends one: 1 a word, 0 the socket was closed, -1 failure. */
int run_read_word(struct run *r, struct jail_message *m, struct err *e);

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

/* Takes what the child may have said after "go": that execve failed. */
void watch_sync(struct run *r);

#endif
