#include "sandbox/subids.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define FILE_MAX (4U << 20)

/* Digits and nothing else, up to the end of the text. */
static int number(const char *text, unsigned long long *n)
{
	char *end;

	if (!text || strspn(text, "0123456789") == 0)
		return -1;
	errno = 0;
	*n = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' ? 0 : -1;
}

static int parse(char *first, char *count, id_t own, struct subids *s, struct err *e)
{
	unsigned long long from;
	unsigned long long n;

	if (number(first, &from) < 0 || number(count, &n) < 0)
		return err_set(e, "is not NAME:FIRST:COUNT");
	if (n > UINT_MAX || from > UINT_MAX || from + n > UINT_MAX)
		return err_set(e, "ids end at %u", UINT_MAX - 1);
	if (n > 0 && (from == 0 || (from <= own && own < from + n)))
		return err_set(e, "gives away id %u, which is somebody's own", from ? own : 0);
	*s = (struct subids){(id_t)from, (id_t)n};
	return 0;
}

int subids_find(const char *path, const char *user, id_t id, struct subids *s, struct err *e)
{
	AUTO_FREE char *text = NULL;
	char by_number[16];
	size_t len;
	int at = 0;

	*s = (struct subids){0};
	snprintf(by_number, sizeof(by_number), "%u", id);
	if (io_read_file(path, FILE_MAX, &text, &len, e) < 0)
		return -1;
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
		const char *who = strsep(&line, ":");
		char *first = strsep(&line, ":");
		struct subids found = {0};

		at++;
		if (strcmp(who, user) != 0 && strcmp(who, by_number) != 0)
			continue;
		if (parse(first, line, id, &found, e) < 0)
			return err_wrap(e, "%s:%d", path, at);
		if (found.count > s->count)
			*s = found;
	}
	return s->count > 0 ? 0 : err_set(e, "%s gives user %.32s no ids", path, user);
}
