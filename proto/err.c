#include "proto/err.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* One write(2) of a struct err to a pipe must be atomic. */
_Static_assert(sizeof(struct err) <= PIPE_BUF, "struct err must fit in PIPE_BUF");

/* Appends to what is there; text that does not fit ends in "...". */
__attribute__((format(printf, 2, 0))) static void append(struct err *e, const char *fmt, va_list ap)
{
	size_t used = strlen(e->msg);
	size_t left = sizeof(e->msg) - used;
	int n = vsnprintf(e->msg + used, left, fmt, ap);

	if (n >= 0 && (size_t)n >= left)
		memcpy(e->msg + sizeof(e->msg) - 4, "...", 4);
}

__attribute__((format(printf, 2, 3))) static void add(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append(e, fmt, ap);
	va_end(ap);
}

int err_set(struct err *e, const char *fmt, ...)
{
	va_list ap;

	e->num = 0;
	e->msg[0] = '\0';
	va_start(ap, fmt);
	append(e, fmt, ap);
	va_end(ap);
	return -1;
}

int err_sys(struct err *e, const char *fmt, ...)
{
	int num = errno;
	const char *text = strerrordesc_np(num);
	va_list ap;

	e->num = num;
	e->msg[0] = '\0';
	va_start(ap, fmt);
	append(e, fmt, ap);
	va_end(ap);
	add(e, ": %s", text ? text : "unknown error");
	return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char old[sizeof(e->msg)];
	va_list ap;

	memcpy(old, e->msg, sizeof(old));
	e->msg[0] = '\0';
	va_start(ap, fmt);
	append(e, fmt, ap);
	va_end(ap);
	add(e, ": %s", old);
	return -1;
}
