/*
 * selftest_judge.h - what a run of an attack came to.
 */
#ifndef SELFTEST_JUDGE_H
#define SELFTEST_JUDGE_H

struct attack;
struct err;
struct traps;

/*
 * Reads what is in the folder of the traps after a run: reportN, stdoutN, stderrN, and logN, what the sandbox itself said.  An error
 * unless it ended as its description says, and neither got through nor shows the secret.
 */
int judge_run(const struct attack *a, const struct traps *t, unsigned turn, struct err *e);

#endif
