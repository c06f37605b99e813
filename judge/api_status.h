/*
 * api_status.h - how a call of judge.v1 ended, on both sides of every transport.
 */
#ifndef API_STATUS_H
#define API_STATUS_H

/* The numbers are those of gRPC's status codes. */
enum api_code {
	API_OK = 0,
	API_CANCELLED = 1,
	API_UNKNOWN = 2,
	API_INVALID_ARGUMENT = 3,
	API_DEADLINE_EXCEEDED = 4,
	API_NOT_FOUND = 5,
	API_ALREADY_EXISTS = 6,
	API_RESOURCE_EXHAUSTED = 8,
	API_FAILED_PRECONDITION = 9,
	API_UNIMPLEMENTED = 12,
	API_INTERNAL = 13,
	API_UNAVAILABLE = 14,
};

/* When a field is wrong, the message begins with its name: "sources[0].name: ...". */
struct api_status {
	enum api_code code;
	char message[700];
};

/* Fills *st; returns -1.  Untrusted text goes through log_q(). */
int api_fail(struct api_status *st, enum api_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
