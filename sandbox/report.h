/*
 * report.h - what a run reports, as JSON and as an exit status.
 */
#ifndef REPORT_H
#define REPORT_H

#include "proto/sandbox.pb-c.h"

struct err;

/* Exit statuses of timeout(1) and env(1). */
enum report_exit {
	REPORT_LIMIT = 124,
	REPORT_FAILED = 125,
	REPORT_CANNOT_EXECUTE = 126,
	REPORT_NOT_FOUND = 127,
	REPORT_SIGNAL = 128, /* and the number of the signal; that of a forbidden call is SIGSYS */
};

/* "exited", "cpu_time_limit", ...: the name of the enum in lower case. */
const char *report_status_name(Sandbox__Status status);

/* How `sandbox run` exits after this reply; one that refuses the request (Reply.error) is REPORT_FAILED. */
int report_exit_status(const Sandbox__Reply *r);

/*
 * Writes one JSON object and a newline.  Every field is there; exit_code, signal and syscall are null where they mean
 * nothing.  Bytes that are not UTF-8 become '?'.
 */
int report_write(int fd, const Sandbox__Reply *r, struct err *e);

#endif
