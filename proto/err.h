/*
 * err.h - the one error value of the project.
 *
 * A function that can fail takes `struct err *e` last and returns 0 (or a
 * descriptor, or a count) on success, -1 on failure.  *e is written only on
 * failure.  The struct owns no memory, so it can be filled after clone(2) and
 * written to a pipe as it is: that is how a jailed child reports.
 *
 * Code that returns an error does not log it.  Whoever stops the error from
 * going further (main, or one turn of a request loop) logs it once.
 */
#ifndef ERR_H
#define ERR_H

struct err {
	int num;       /* errno value, or 0 when no system call failed */
	char msg[252]; /* "jail: pivot_root: Operation not permitted" */
};

/* Fills *e from a format.  Returns -1, so callers can `return err_set(...)`. */
int err_set(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Like err_set(), and records errno and appends its text. */
int err_sys(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts the formatted text and ": " in front of the message in *e.  Returns -1. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
