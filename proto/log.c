#include "proto/log.h"

#include <stdarg.h>
#include <time.h>
#include <unistd.h>

#include "proto/scope.h"

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char *log_program = "gavel";
static enum log_level log_least = LOG_INFO;

void log_open(const char *program, enum log_level least)
{
	log_program = program;
	log_least = least;
}

int log_level_parse(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(level_names); i++)
		if (strcmp(name, level_names[i]) == 0)
			return (int)i;
	return -1;
}

/* "2026-01-02T03:04:05.678Z" */
static void now_text(char *out, size_t size)
{
	struct timespec now;
	struct tm tm;
	char seconds[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out, size, "%s.%03ldZ", seconds, now.tv_nsec / 1000000);
}

void log_event(enum log_level level, const char *event, const char *pairs, ...)
{
	char line[4096];
	char now[48];
	va_list ap;
	size_t len;

	if (level < log_least)
		return;
	now_text(now, sizeof(now));
	len = (size_t)snprintf(line, sizeof(line) - 1, "ts=%s level=%s program=%s pid=%d event=%s ",
			       now, level_names[level], log_program, (int)getpid(), event);
	va_start(ap, pairs);
	vsnprintf(line + len, sizeof(line) - 1 - len, pairs, ap);
	va_end(ap);
	len = strlen(line);
	while (len > 0 && line[len - 1] == ' ')
		len--;
	line[len] = '\n';
	(void)!write(STDERR_FILENO, line, len + 1);
}

/* Writes the escaped form of one byte, returns its length. */
static size_t escape(char *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	if (c == '"' || c == '\\') {
		out[0] = '\\';
		out[1] = (char)c;
		return 2;
	}
	if (c >= 0x20 && c < 0x7f) {
		out[0] = (char)c;
		return 1;
	}
	out[0] = '\\';
	out[1] = 'x';
	out[2] = hex[c >> 4];
	out[3] = hex[c & 15];
	return 4;
}

const char *log_q(const char *text)
{
	static _Thread_local char buffers[8][512];
	static _Thread_local unsigned next;
	char *out = buffers[next++ % ARRAY_LEN(buffers)];
	size_t len = 1;

	out[0] = '"';
	for (const char *p = text ? text : ""; *p && len < sizeof(buffers[0]) - 6; p++)
		len += escape(out + len, (unsigned char)*p);
	out[len] = '"';
	out[len + 1] = '\0';
	return out;
}
