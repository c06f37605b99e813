/*
 * doctor_checks.h - the checks of doctor.c; private to the doctor_*.c files.
 */
#ifndef DOCTOR_CHECKS_H
#define DOCTOR_CHECKS_H

#include <stddef.h>

enum doctor_state {
	DOCTOR_OK,
	DOCTOR_WARNING, /* cells work, but something is weaker, less exact or slower */
	DOCTOR_MISSING, /* what needs it is refused */
};

struct doctor_finding {
	enum doctor_state state;
	char detail[600]; /* what there is */
	char mend[600];   /* what to do; "" where there is nothing to do */
};

typedef void doctor_fn(struct doctor_finding *f);

struct doctor_check {
	const char *group, *name;
	doctor_fn *look;
};

/* Tables, each ended by a row without a name. */
extern const struct doctor_check doctor_kernel_checks[];
extern const struct doctor_check doctor_system_checks[];
extern const struct doctor_check doctor_timing_checks[];

/* Say what was found; the last call decides the state. */
void doctor_ok(struct doctor_finding *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void doctor_warn(struct doctor_finding *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void doctor_missing(struct doctor_finding *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void doctor_mend(struct doctor_finding *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The number in a file of /proc or /sys, -1 if there is none; the first line of it, "" if there is none. */
long long doctor_number(const char *path);
const char *doctor_line(const char *path, char *text, size_t size);

#endif
