#include "judge/api_status.h"

#include <stdarg.h>

int api_fail(struct api_status *st, enum api_code code, const char *fmt, ...)
{
	va_list ap;

	st->code = code;
	va_start(ap, fmt);
	vsnprintf(st->message, sizeof(st->message), fmt, ap);
	va_end(ap);
	return -1;
}
