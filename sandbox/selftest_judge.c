#include "sandbox/selftest_judge.h"

#include <jansson.h>
#include <limits.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/selftest_list.h"
#include "sandbox/selftest_traps.h"

#define SAID_MAX (8 << 20)

/* A report's outcome as an attack writes it: "exited:0". */
static void describe(const json_t *report, char *text, size_t size)
{
	const char *status = json_string_value(json_object_get(report, "status"));
	const json_t *code = json_object_get(report, "exit_code");
	const json_t *sig = json_object_get(report, "signal");
	const char *call = json_string_value(json_object_get(report, "syscall"));

	if (!status)
		snprintf(text, size, "no report");
	else if (json_is_integer(code))
		snprintf(text, size, "%s:%lld", status, (long long)json_integer_value(code));
	else if (json_is_integer(sig))
		snprintf(text, size, "%s:%lld", status, (long long)json_integer_value(sig));
	else
		snprintf(text, size, "%s%s%s", status, call ? ":" : "", call ? call : "");
}

/* Whether that is one of "STATUS[:DETAIL]|...", where a status without a detail stands for all. */
static int is_expected(const char *expected, const char *got)
{
	for (const char *p = expected; *p; p += strcspn(p, "|"), p += *p == '|') {
		size_t len = strcspn(p, "|");

		if (strncmp(p, got, len) == 0 &&
		    (got[len] == '\0' || (got[len] == ':' && !memchr(p, ':', len))))
			return 1;
	}
	return 0;
}

static char *read_said(const struct traps *t, const char *kind, unsigned turn)
{
	char path[PATH_MAX + 32];
	struct err ignored;
	char *text = NULL;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s%u", t->work, kind, turn);
	return io_read_file(path, SAID_MAX, &text, &len, &ignored) == 0 ? text : strdup("");
}

/* The line that begins so, up to its end; NULL if there is none. */
static const char *line_of(const char *text, const char *begin, int *len)
{
	for (const char *p = strstr(text, begin); p; p = strstr(p + 1, begin))
		if (p == text || p[-1] == '\n') {
			*len = (int)strcspn(p, "\n");
			return p;
		}
	return NULL;
}

static int judge_texts(const struct attack *a, const struct traps *t, const char *out,
		       const char *err_out, const char *report_text, const char *log, struct err *e)
{
	const char *expected = attack_key(a, "expect", "");
	AUTO_FREE char *secret = strndup(t->secret, strcspn(t->secret, "\n"));
	json_t *report = json_loads(report_text, 0, NULL);
	char got[128];
	const char *line;
	int len;

	describe(report, got, sizeof(got));
	json_decref(report);
	if ((line = line_of(out, "ESCAPED", &len)) || (line = line_of(out, "BROKEN", &len)))
		return err_set(e, "%.*s", len, line);
	if (!secret || strstr(out, secret) || strstr(err_out, secret))
		return err_set(e, "the host's secret was read");
	if (!is_expected(expected, got))
		return err_set(e, "%s, expected %.60s. %.100s", got, expected,
			       *log ? log : line_of(err_out, "", &len));
	if (strcmp(got, "exited:0") == 0 && !line_of(out, "held", &len))
		return err_set(e, "ended without having said that it was held");
	return 0;
}

int judge_run(const struct attack *a, const struct traps *t, unsigned turn, struct err *e)
{
	AUTO_FREE char *out = read_said(t, "stdout", turn);
	AUTO_FREE char *err_out = read_said(t, "stderr", turn);
	AUTO_FREE char *report = read_said(t, "report", turn);
	AUTO_FREE char *log = read_said(t, "log", turn);

	if (!out || !err_out || !report || !log)
		return err_set(e, "out of memory");
	return judge_texts(a, t, out, err_out, report, log, e);
}
