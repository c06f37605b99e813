/*
 * selftest_trial.h - one attack, carried out in a process of its own.
 */
#ifndef SELFTEST_TRIAL_H
#define SELFTEST_TRIAL_H

struct attack;
struct err;

struct trial_place {
	const char *programs; /* the folder of the attacks */
	const char *rules;    /* for --rules, or NULL */
	char work[64];        /* a folder of this trial's own */
};

/* The most time that a trial may take before it is stopped, in ms. */
int trial_patience_ms(const struct attack *a);

/*
 * Called in a process without children, which ends afterwards: sets traps, runs the attack, looks at its report and at the
 * traps.  0 if it was held; otherwise *e says what happened.  SIGTERM makes it stop early, and still tidy up.
 */
int trial_run(const struct attack *a, const struct trial_place *place, struct err *e);

#endif
