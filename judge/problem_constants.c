/* `constants` of 2025-09: {{name}} in programs, included files and test_group.yaml stands for a value of problem.yaml. */
#include "judge/doc.h"
#include "judge/hash.h"
#include "judge/names.h"
#include "judge/package.h"
#include "judge/problem_parts.h"
#include "proto/err.h"
#include "proto/scope.h"

#define CONSTANTS_MAX 1000
#define GROWTH_MAX    (16U << 20) /* bytes that a file may have once its constants are in */

static int is_name(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";

	return strchr(letters, text[0]) && text[0] &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") ==
		       strlen(text);
}

static int add_constant(const struct doc *d, const struct doc_node *n,
			struct problem_constants *out, struct err *e)
{
	struct problem_constant *grown;
	char shown[48];

	names_escape(n->key, strlen(n->key), shown, sizeof(shown));
	if (!is_name(n->key))
		return doc_fail(
			d, n->key_line, e,
			"constants: \"%s\" is no name: letters, digits and '_', no digit first",
			shown);
	if (n->kind != DOC_SCALAR || (!n->quoted && !n->text[0]))
		return doc_fail(d, n->line, e, "constants: %s: expected a number or a text", shown);
	if (out->n == CONSTANTS_MAX)
		return doc_fail(d, n->key_line, e, "constants: more than %d", CONSTANTS_MAX);
	grown = reallocarray(out->items, out->n + 1, sizeof(*grown));
	if (!grown)
		return err_sys(e, "constants");
	out->items = grown;
	grown[out->n] = (struct problem_constant){strdup(n->key), strdup(n->text)};
	return grown[out->n].name && grown[out->n++].value ? 0 : err_sys(e, "constants");
}

int problem_constants_read(const struct doc *d, struct problem_constants *out, struct err *e)
{
	const struct doc_node *map = doc_get(d->root, "constants");

	if (!map || (map->kind == DOC_SCALAR && !map->quoted && !map->text[0]))
		return 0;
	if (map->kind != DOC_MAP)
		return doc_fail(d, map->line, e, "constants: expected a map of names and values");
	for (const struct doc_node *n = map->first; n; n = n->next)
		if (add_constant(d, n, out, e) < 0)
			return -1;
	return 0;
}

void problem_constants_release(struct problem_constants *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->items[i].name);
		free(c->items[i].value);
	}
	free(c->items);
	*c = (struct problem_constants){NULL, 0};
}

/* The constant whose {{name}} text begins with; NULL: none. */
static const struct problem_constant *find(const struct problem_constants *c, const char *text,
					   size_t len)
{
	for (size_t i = 0; i < c->n; i++) {
		size_t n = strlen(c->items[i].name);

		if (len >= n + 4 && memcmp(text, "{{", 2) == 0 &&
		    memcmp(text + 2, c->items[i].name, n) == 0 &&
		    memcmp(text + 2 + n, "}}", 2) == 0)
			return &c->items[i];
	}
	return NULL;
}

static int replace(const struct problem_constants *c, const char *text, size_t len, FILE *out)
{
	size_t written = 0;

	for (size_t at = 0; at < len && written <= GROWTH_MAX;) {
		const struct problem_constant *k = find(c, text + at, len - at);
		size_t n = k ? strlen(k->value) : 1;

		fwrite(k ? k->value : text + at, 1, n, out);
		written += n;
		at += k ? strlen(k->name) + 4 : 1;
	}
	return written <= GROWTH_MAX ? 0 : -1;
}

int problem_constants_apply(const struct problem_constants *c, const char *path, char **text,
			    size_t *len, struct err *e)
{
	char *made = NULL;
	size_t n = 0;
	FILE *out;
	int rc;

	if (c->n == 0 || !memmem(*text, *len, "{{", 2))
		return 0;
	out = open_memstream(&made, &n);
	if (!out)
		return err_sys(e, "%s", path);
	rc = replace(c, *text, *len, out);
	if (fclose(out) != 0 || rc < 0) {
		free(made);
		return err_set(e, "%.100s: larger than %u MiB with its constants", path,
			       GROWTH_MAX >> 20);
	}
	free(*text);
	*text = made;
	*len = n;
	return 0;
}

int problem_source_read(const struct problem *p, const char *path, const char *name,
			struct problem_file *out, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if (p->constants.n == 0)
		return problem_file_read(p, path, name, out, e);
	*out = (struct problem_file){.mode = 0444, .constants = 1};
	out->name = strdup(name);
	out->path = strdup(path);
	if (!out->name || !out->path)
		return err_sys(e, "%s", path);
	if (package_read(p->dir, path, PROBLEM_FILE_MAX, &text, &len, e) < 0 ||
	    problem_constants_apply(&p->constants, path, &text, &len, e) < 0)
		return -1;
	out->bytes = len;
	return hash_bytes(text, len, out->hash, e);
}
