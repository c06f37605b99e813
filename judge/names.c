#include "judge/names.h"

#include "proto/err.h"

struct rule {
	const char *what;
	const char *extra;     /* allowed besides letters and digits */
	const char *bad_first; /* of those, not at the start */
	size_t max;
};

static int is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static size_t escaped_len(char c)
{
	unsigned char u = (unsigned char)c;

	return u < 0x20 || u >= 0x7f || strchr("\"'\\", c) ? 4 : 1;
}

void names_escape(const char *text, size_t len, char *out, size_t size)
{
	size_t whole = 0, at = 0, i;

	for (i = 0; i < len && whole < size; i++)
		whole += escaped_len(text[i]);
	size -= whole < size ? 1 : 4; /* the NUL, or "..." and the NUL */
	for (i = 0; i < len && at + escaped_len(text[i]) <= size; i++) {
		if (escaped_len(text[i]) == 1)
			out[at++] = text[i];
		else
			at += (size_t)snprintf(out + at, 5, "\\x%02x", (unsigned char)text[i]);
	}
	snprintf(out + at, 4, "%s", i < len ? "..." : "");
}

static int refuse(const struct rule *r, const char *name, struct err *e)
{
	char shown[80];

	names_escape(name, strnlen(name, sizeof(shown)), shown, sizeof(shown));
	return err_set(
		e,
		"\"%s\" is not a %s name: up to %zu letters, digits and \"%s\", not starting "
		"with one of \"%s\"",
		shown, r->what, r->max, r->extra, r->bad_first);
}

static int check(const struct rule *r, const char *name, struct err *e)
{
	size_t len = strnlen(name, r->max + 1);

	if (len == 0)
		return err_set(e, "the name is empty");
	if (len > r->max || (!is_alnum(name[0]) && strchr(r->bad_first, name[0])))
		return refuse(r, name, e);
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(name[i]) && !strchr(r->extra, name[i]))
			return refuse(r, name, e);
	return 0;
}

int names_source(const char *name, struct err *e)
{
	static const struct rule rule = {"source file", "._-+", ".-+", NAMES_SOURCE_MAX};

	return check(&rule, name, e);
}

int names_package_file(const char *name, struct err *e)
{
	static const struct rule rule = {"package file", "._-+", ".-+", 255};

	return check(&rule, name, e);
}

int names_problem(const char *name, struct err *e)
{
	static const struct rule rule = {"problem", "_-+", "_-+", NAMES_PROBLEM_MAX};

	return check(&rule, name, e);
}

const char *names_extension(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot != name ? dot + 1 : "";
}

size_t names_stem_len(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot != name ? (size_t)(dot - name) : strlen(name);
}
