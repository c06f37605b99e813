/*
 * failpoint.h - die at a chosen moment, to prove that nothing is lost by it.
 *
 * In a build with -DFAILPOINTS (MODE=debug), GAVEL_FAILPOINT="claim.after:3" in the environment makes the process send itself
 * SIGKILL when FAILPOINT("claim.after") is passed for the third time, counted over all threads.  In every other build the
 * macro is nothing, and so is the variable.
 */
#ifndef FAILPOINT_H
#define FAILPOINT_H

#ifdef FAILPOINTS
#define FAILPOINT(name) failpoint_pass(name)

/* Counts one passing of the point; does not return from the one that was asked for. */
void failpoint_pass(const char *name);
#else
#define FAILPOINT(name) ((void)0)
#endif

#endif
