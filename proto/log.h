/*
 * log.h - one logfmt line an event, on standard error.
 *
 *   ts=2026-01-02T03:04:05.678Z level=info program=judged event=claimed submission=0af3 attempt=1
 *
 * Values come from a printf format; the caller writes key=value pairs and quotes text with log_q() so that nothing
 * a contestant sent can forge a line.  A jailed child never logs, it reports.
 */
#ifndef LOG_H
#define LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Names the program and the least level that is written; until called: "gavel", LOG_INFO. */
void log_open(const char *program, enum log_level least);

/* "debug", "info", "warn", "error" → the level; -1 for anything else. */
int log_level_parse(const char *name);

/* Writes one line with one write(2), cut at 4 KiB.  pairs may be "" for an event without any. */
void log_event(enum log_level level, const char *event, const char *pairs, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Quotes untrusted text for a value: "..." with control characters, quotes and non-ASCII bytes escaped.  Returns one of
 * eight buffers of the calling thread, each of 512 bytes: good until eight further calls.
 */
const char *log_q(const char *text);

#endif
