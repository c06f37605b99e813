/*
 * selftest.h - `sandbox selftest`: the attacks that come with Gavel, tried on the machine it runs on.
 *
 * Each attack is a hostile program of tests/attack, made when Gavel was built.  It is run by this very program, as anybody would
 * run one, and must end as its description says; traps that a program without a sandbox would reach must be untouched
 * afterwards.  Nothing is left: neither a file, a process nor a mount.
 */
#ifndef SELFTEST_H
#define SELFTEST_H

/* argv[0] is "selftest"; returns the exit status: 0 all held, 1 not all, 2 usage. */
int selftest_command(int argc, char **argv);

#endif
