#include <stdarg.h>

#include "judge/doc.h"
#include "judge/doc_value.h"
#include "judge/names.h"
#include "proto/err.h"
#include "proto/scope.h"

#define AT(out, field, type) ((type *)(void *)((char *)(out) + (field)->offset))

/* What a value must look like, for messages. */
static const char *expected(enum doc_type type)
{
	switch (type) {
	case DOC_STRING:
		return "text";
	case DOC_STRINGS:
		return "a list of texts, like [one, two]";
	case DOC_FLAG:
		return "true or false";
	case DOC_COUNT:
		return "a whole number";
	case DOC_SIZE:
		return "a size like 64K, 512M or 1G";
	case DOC_DURATION:
		return "a time like 500ms, 1.5s or 2m";
	case DOC_NUMBER:
	case DOC_AMOUNT:
		return "a number that is not negative";
	case DOC_NESTED:
		return "a map of keys and values";
	default:
		return "a value";
	}
}

/* Optimal string alignment would be more than a hint needs: plain edit distance, on short words only. */
static size_t distance(const char *a, const char *b)
{
	size_t row[33];
	size_t la = strnlen(a, 33), lb = strnlen(b, 33);

	if (la > 32 || lb > 32)
		return 33;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t above = row[j];
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			best = above + 1 < best ? above + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			row[j] = best;
			diagonal = above;
		}
	}
	return row[lb];
}

const char *doc_nearest(const struct doc_field *fields, const char *key)
{
	const char *best = NULL;
	size_t least = 1 + strnlen(key, 32) / 3;

	for (; fields->key; fields++) {
		size_t d = distance(fields->key, key);

		if (d <= least) {
			best = fields->key;
			least = d - (d > 0);
		}
	}
	return best;
}

static void strings_free(char **list)
{
	for (char **p = list; p && *p; p++)
		free(*p);
	free(list);
}

static int in_bounds(const struct doc_field *f, uint64_t value, const char *text, struct err *e)
{
	if (value >= f->least && (f->most == 0 || value <= f->most))
		return 0;
	if (f->type == DOC_STRING && value < f->least)
		return err_set(e, "is empty");
	if (f->type == DOC_STRING)
		return err_set(e, "is longer than %llu bytes", (unsigned long long)f->most);
	if (value < f->least)
		return err_set(e, "%s is too small", text);
	return err_set(e, "%s is too large", text);
}

static int set_number(const struct doc_field *f, const char *text, void *out, struct err *e)
{
	uint64_t value = 0;
	int rc;

	switch (f->type) {
	case DOC_COUNT:
		rc = doc_value_count(text, &value);
		rc = value > UINT32_MAX ? -1 : rc;
		break;
	case DOC_SIZE:
		rc = doc_value_size(text, &value);
		break;
	case DOC_DURATION:
		rc = doc_value_duration(text, &value);
		break;
	default:
		rc = doc_value_amount(text, f->scale, &value);
		break;
	}
	if (rc < 0)
		return err_set(e, "expected %s", expected(f->type));
	if (in_bounds(f, value, text, e) < 0)
		return -1;
	if (f->type == DOC_COUNT)
		*AT(out, f, uint32_t) = (uint32_t)value;
	else
		*AT(out, f, uint64_t) = value;
	return 0;
}

static int set_string(const struct doc_field *f, const char *text, void *out, struct err *e)
{
	char *copy;

	if (in_bounds(f, strlen(text), text, e) < 0)
		return -1;
	copy = strdup(text);
	if (!copy)
		return err_sys(e, "copy");
	free(*AT(out, f, char *));
	*AT(out, f, char *) = copy;
	return 0;
}

static int add_string(const struct doc_field *f, const char *text, void *out, struct err *e)
{
	char ***list = AT(out, f, char **);
	size_t n = 0;
	char **grown;

	while (*list && (*list)[n])
		n++;
	if (f->most && n == f->most)
		return err_set(e, "more than %zu items", n);
	grown = reallocarray(*list, n + 2, sizeof(*grown));
	if (!grown)
		return err_sys(e, "copy");
	*list = grown;
	grown[n] = strdup(text);
	grown[n + 1] = NULL;
	return grown[n] ? 0 : err_sys(e, "copy");
}

static int set_flag(const struct doc_field *f, const char *text, void *out, struct err *e)
{
	int yes = strcmp(text, "true") == 0;

	if (!yes && strcmp(text, "false") != 0)
		return err_set(e, "expected %s", expected(DOC_FLAG));
	*AT(out, f, int) = yes;
	return 0;
}

int doc_set(const struct doc_field *f, const char *text, void *out, struct err *e)
{
	switch (f->type) {
	case DOC_STRING:
		return set_string(f, text, out, e);
	case DOC_STRINGS:
		return add_string(f, text, out, e);
	case DOC_FLAG:
		return set_flag(f, text, out, e);
	case DOC_NUMBER:
		if (doc_value_number(text, AT(out, f, double)) < 0)
			return err_set(e, "expected %s", expected(f->type));
		return 0;
	case DOC_COUNT:
	case DOC_SIZE:
	case DOC_DURATION:
	case DOC_AMOUNT:
		return set_number(f, text, out, e);
	default:
		return err_set(e, "cannot be given as text");
	}
}

/* What `key:` with nothing behind it, `[]`, `{}` and "" have in common. */
static int is_empty(const struct doc_node *n)
{
	return n->kind == DOC_SCALAR ? n->text[0] == '\0' : !n->first;
}

static int read_list(const struct doc *d, const struct doc_field *f, const struct doc_node *list,
		     void *out, struct err *e)
{
	if (list->kind != DOC_LIST)
		return doc_fail(d, list->line, e, "%s: expected %s", f->key, expected(f->type));
	strings_free(*AT(out, f, char **));
	*AT(out, f, char **) = calloc(1, sizeof(char *));
	if (!*AT(out, f, char **))
		return err_sys(e, "%s", d->file);
	if (f->least && !list->first)
		return doc_fail(d, list->line, e, "%s: the list is empty", f->key);
	for (const struct doc_node *n = list->first; n; n = n->next) {
		struct err why;

		if (n->kind != DOC_SCALAR || (!n->quoted && n->text[0] == '\0'))
			return doc_fail(d, n->line, e, "%s: expected %s", f->key,
					expected(f->type));
		if (add_string(f, n->text, out, &why) < 0)
			return doc_fail(d, n->line, e, "%s: %s", f->key, why.msg);
	}
	return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tables are nested */
static int read_value(const struct doc *d, const struct doc_field *f, const struct doc_node *n,
		      void *out, struct err *e)
{
	struct err why;

	switch (f->type) {
	case DOC_ANY:
		return 0;
	case DOC_REFUSED:
		return is_empty(n) ? 0
				   : doc_fail(d, n->key_line, e, "%s: not supported yet", f->key);
	case DOC_NESTED:
		if (n->kind != DOC_MAP)
			return doc_fail(d, n->line, e, "%s: expected %s", f->key,
					expected(f->type));
		return doc_read(d, n, f->nested, out, e);
	case DOC_STRINGS:
		return read_list(d, f, n, out, e);
	default:
		break;
	}
	if (n->kind != DOC_SCALAR || (!n->quoted && n->text[0] == '\0'))
		return doc_fail(d, n->line, e, "%s: expected %s", f->key, expected(f->type));
	if (doc_set(f, n->text, out, &why) < 0)
		return doc_fail(d, n->line, e, "%s: %s", f->key, why.msg);
	return 0;
}

static int fail_unknown(const struct doc *d, const struct doc_node *n,
			const struct doc_field *fields, struct err *e)
{
	const char *nearest = doc_nearest(fields, n->key);
	char shown[48];

	names_escape(n->key, strlen(n->key), shown, sizeof(shown));
	if (nearest)
		return doc_fail(d, n->key_line, e, "unknown key \"%s\": did you mean \"%s\"?",
				shown, nearest);
	return doc_fail(d, n->key_line, e, "unknown key \"%s\"", shown);
}

static int check_required(const struct doc *d, const struct doc_node *map,
			  const struct doc_field *fields, struct err *e)
{
	for (const struct doc_field *f = fields; f->key; f++)
		if (f->required && !doc_get(map, f->key))
			return doc_fail(d, map->line, e, "%s%skey \"%s\" is missing",
					map->key ? map->key : "", map->key ? ": " : "", f->key);
	return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tables are nested */
int doc_read(const struct doc *d, const struct doc_node *map, const struct doc_field *fields,
	     void *out, struct err *e)
{
	if (map->kind != DOC_MAP)
		return doc_fail(d, map->line, e, "expected %s", expected(DOC_NESTED));
	for (const struct doc_node *n = map->first; n; n = n->next) {
		const struct doc_field *f = fields;

		while (f->key && strcmp(f->key, n->key) != 0)
			f++;
		if (!f->key)
			return fail_unknown(d, n, fields, e);
		if (read_value(d, f, n, out, e) < 0)
			return -1;
	}
	return check_required(d, map, fields, e);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tables are nested */
void doc_fields_release(const struct doc_field *fields, void *out)
{
	for (const struct doc_field *f = fields; f->key; f++) {
		if (f->type == DOC_STRING) {
			free(*AT(out, f, char *));
			*AT(out, f, char *) = NULL;
		} else if (f->type == DOC_STRINGS) {
			strings_free(*AT(out, f, char **));
			*AT(out, f, char **) = NULL;
		} else if (f->type == DOC_NESTED) {
			doc_fields_release(f->nested, out);
		}
	}
}
