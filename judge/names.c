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

void names_escape(const char *text, size_t len, char *out, size_t size)
{
	size_t at = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		int plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\'' && c != '\\';
		size_t need = plain ? 1 : 4;
		size_t rest = i + 1 < len ? 4 : 1; /* room for "..." and NUL while more follows */

		if (at + need + rest > size)
			break;
		if (plain)
			out[at++] = (char)c;
		else
			at += (size_t)snprintf(out + at, size - at, "\\x%02x", c);
	}
	snprintf(out + at, size - at, "%s", i < len ? "..." : "");
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
