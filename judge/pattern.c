#include "judge/pattern.h"

#include "judge/names.h"
#include "proto/err.h"
#include "proto/scope.h"

struct list {
	char **items; /* NULL-terminated */
	size_t n;
};

void pattern_free(char **patterns)
{
	for (char **p = patterns; p && *p; p++)
		free(*p);
	free(patterns);
}

static int add(struct list *l, const char *text, struct err *e)
{
	char **grown;

	if (l->n == PATTERN_EXPAND_MAX)
		return err_set(e, "its braces stand for more than %d patterns", PATTERN_EXPAND_MAX);
	grown = reallocarray(l->items, l->n + 2, sizeof(*grown));
	if (!grown)
		return err_sys(e, "pattern");
	l->items = grown;
	grown[l->n] = strdup(text);
	grown[l->n + 1] = NULL;
	return grown[l->n++] ? 0 : err_sys(e, "pattern");
}

/* The end of the alternative that begins at text: its ',' or the '}' of its group; NULL: there is none. */
static const char *alternative_end(const char *text)
{
	int depth = 0;

	for (; *text; text++) {
		if (depth == 0 && (*text == ',' || *text == '}'))
			return text;
		depth += *text == '{';
		depth -= *text == '}';
	}
	return NULL;
}

static const char *group_end(const char *text)
{
	while (text && *text != '}') {
		text = alternative_end(text);
		if (text && *text == ',')
			text++;
	}
	return text;
}

/* NOLINTNEXTLINE(misc-no-recursion): a level for each brace of a text of PATTERN_MAX bytes */
static int expand(struct list *l, const char *text, struct err *e)
{
	const char *open = strchr(text, '{');
	const char *end = open ? group_end(open + 1) : NULL;
	char one[PATTERN_MAX];

	if (!open)
		return strchr(text, '}') ? err_set(e, "a '}' without '{'") : add(l, text, e);
	if (!end)
		return err_set(e, "a '{' without '}'");
	for (const char *at = open + 1, *stop; at <= end; at = stop + 1) {
		stop = alternative_end(at);
		/* shorter than text, which fits */
		snprintf(one, sizeof(one), "%.*s%.*s%s", (int)(open - text), text, (int)(stop - at),
			 at, end + 1);
		if (expand(l, one, e) < 0)
			return -1;
	}
	return 0;
}

static int check(const char *text, struct err *e)
{
	if (!*text)
		return err_set(e, "the pattern is empty");
	if (strnlen(text, PATTERN_MAX) == PATTERN_MAX)
		return err_set(e, "the pattern is longer than %d bytes", PATTERN_MAX - 1);
	if (strstr(text, "**") || strpbrk(text, "[]?"))
		return err_set(e,
			       "a pattern has '*' within a name and braces, no '**', '[' or '?'");
	return 0;
}

char **pattern_expand(const char *text, struct err *e)
{
	struct list l = {NULL, 0};

	if (check(text, e) < 0)
		return NULL;
	if (expand(&l, text, e) == 0)
		return l.items;
	pattern_free(l.items);
	return NULL;
}

/* To the end of the path or of one of its names.  Only the last '*' need be tried again: a name's end ends all others. */
static int match_one(const char *pattern, const char *path)
{
	const char *star = NULL, *from = NULL;

	for (;;) {
		if (*pattern == '*') {
			star = ++pattern;
			from = path;
		} else if (!*pattern && (!*path || *path == '/')) {
			return 1;
		} else if (*pattern && *pattern == *path) {
			star = *path == '/' ? NULL : star;
			pattern++;
			path++;
		} else if (star && *from && *from != '/') {
			pattern = star;
			path = ++from;
		} else {
			return 0;
		}
	}
}

int pattern_match(char *const *patterns, const char *path)
{
	for (; *patterns; patterns++)
		if (match_one(*patterns, path))
			return 1;
	return 0;
}
