/* include/, the .files of tests, and arguments: what a package gives to programs besides standard input. */
#include "judge/doc.h"
#include "judge/package.h"
#include "judge/problem_parts.h"
#include "proto/err.h"
#include "proto/scope.h"

#define MARK                                                                                       \
	'\1' /* begins the name of a validator in a list of arguments; no text of YAML has it */

static int add_file(const struct problem *p, const char *folder, int is_source,
		    const struct package_entry *entry, struct problem_file **files, size_t *n,
		    struct err *e)
{
	AUTO_FREE char *path = NULL;
	struct problem_file *grown;

	if (asprintf(&path, "%s/%s", folder, entry->name) < 0) {
		path = NULL;
		return err_sys(e, "%s", folder);
	}
	if (entry->folder)
		return err_set(e, "%s: expected only files here, no folders", path);
	if (*n == PROBLEM_SOURCES_MAX)
		return err_set(e, "%s: more than %d files", folder, PROBLEM_SOURCES_MAX);
	grown = reallocarray(*files, *n + 1, sizeof(*grown));
	if (!grown)
		return err_sys(e, "%s", path);
	*files = grown;
	grown[*n] = (struct problem_file){0};
	return (is_source ? problem_source_read : problem_file_read)(p, path, entry->name,
								     &grown[(*n)++], e);
}

int problem_read_files(const struct problem *p, const char *folder, int is_source,
		       struct problem_file **files, size_t *n, struct err *e)
{
	struct package_entry *list;
	size_t count;
	int rc = package_list(p->dir, folder, &list, &count, e);

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = add_file(p, folder, is_source, &list[i], files, n, e);
	if (rc == 0)
		package_list_free(list, count);
	return rc;
}

/* include/CODE must be for a language that is allowed. */
static int check_code(const struct problem *p, const char *code, struct err *e)
{
	if (strcmp(code, "default") == 0)
		return 0;
	for (char **at = p->languages; at && *at; at++)
		if (strcmp(*at, code) == 0)
			return 0;
	return p->languages
		       ? err_set(e, "include/%.60s: problem.yaml does not have it in languages",
				 code)
		       : 0;
}

static int read_include(struct problem *p, const struct package_entry *entry, struct err *e)
{
	AUTO_FREE char *folder = NULL;
	struct problem_include *grown, *include;

	if (asprintf(&folder, "include/%s", entry->name) < 0) {
		folder = NULL;
		return err_sys(e, "include");
	}
	if (!entry->folder)
		return err_set(e, "%s: expected a folder with the name of a language, like cpp",
			       folder);
	if (check_code(p, entry->name, e) < 0)
		return -1;
	grown = reallocarray(p->includes, p->nincludes + 1, sizeof(*grown));
	if (!grown)
		return err_sys(e, "%s", folder);
	p->includes = grown;
	include = &grown[p->nincludes++];
	*include = (struct problem_include){.code = strdup(entry->name)};
	if (!include->code)
		return err_sys(e, "%s", folder);
	if (problem_read_files(p, folder, 1, &include->files, &include->nfiles, e) < 0)
		return -1;
	return include->nfiles ? 0 : err_set(e, "%s: is empty", folder);
}

int problem_read_includes(struct problem *p, const struct problem_settings *s, struct err *e)
{
	struct package_entry *list;
	size_t n;
	int rc = package_list(p->dir, "include", &list, &n, e);

	if (rc < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (s->format != PROBLEM_2025_09 && strcmp(list[i].name, "default") == 0)
			rc = err_set(e, "include/default: is of format 2025-09 only");
		else
			rc = read_include(p, &list[i], e);
	}
	package_list_free(list, n);
	return rc;
}

static int append(char ***words, const char *text, struct err *e)
{
	size_t n = 0;
	char **grown;

	while (*words && (*words)[n])
		n++;
	grown = reallocarray(*words, n + 2, sizeof(*grown));
	if (!grown)
		return err_sys(e, "arguments");
	*words = grown;
	grown[n] = strdup(text);
	grown[n + 1] = NULL;
	return grown[n] ? 0 : err_sys(e, "arguments");
}

static int begin(char ***words, const char *validator, struct err *e)
{
	char name[300];

	snprintf(name, sizeof(name), "%c%s", MARK, validator);
	return append(words, name, e);
}

static int append_list(const struct doc *d, const struct doc_node *list, char ***words,
		       struct err *e)
{
	const char *key = list->key;

	if (list->kind != DOC_LIST)
		return doc_fail(d, list->line, e, "%s: expected a list of texts, like [one, two]",
				key);
	for (const struct doc_node *n = list->first; n; n = n->next) {
		if (n->kind != DOC_SCALAR)
			return doc_fail(d, n->line, e,
					"%s: expected a list of texts, like [one, two]", key);
		if (append(words, n->text, e) < 0)
			return -1;
	}
	return 0;
}

/* 2025-09: a list for every validator, or a map from their names to lists. */
static int read_new(const struct doc *d, const struct doc_node *n, char ***words, struct err *e)
{
	if (n->kind != DOC_MAP)
		return begin(words, "", e) < 0 ? -1 : append_list(d, n, words, e);
	for (const struct doc_node *v = n->first; v; v = v->next)
		if (begin(words, v->key, e) < 0 || append_list(d, v, words, e) < 0)
			return -1;
	return 0;
}

/* Legacy: a text for every validator, or a map with the name of one and its text. */
static int read_legacy(const struct doc *d, const struct doc_node *n, char ***words, struct err *e)
{
	const struct doc_node *name = n->kind == DOC_MAP ? doc_get(n, "name") : NULL;
	const struct doc_node *flags = n->kind == DOC_MAP ? doc_get(n, "flags") : n;
	char **split;

	if (n->kind == DOC_LIST || (n->kind == DOC_MAP && (!name || !flags)) ||
	    (name && name->kind != DOC_SCALAR) || flags->kind != DOC_SCALAR)
		return doc_fail(d, n->line, e, "%s: expected text, or a map with name and flags",
				n->key);
	if (begin(words, name ? name->text : "", e) < 0)
		return -1;
	split = problem_words(*words, flags->text);
	if (!split)
		return err_sys(e, "%s", n->key);
	problem_words_free(*words);
	*words = split;
	return 0;
}

int problem_read_input_args(const struct doc *d, char ***words, struct err *e)
{
	const struct doc_node *new = doc_get(d->root, "input_validator_args");
	const struct doc_node *old = doc_get(d->root, "input_validator_flags");
	char **own = NULL;
	int rc = 0;

	if (!new && !old)
		return 0;
	rc = new ? read_new(d, new, &own, e) : read_legacy(d, old, &own, e);
	if (rc < 0) {
		problem_words_free(own);
		return -1;
	}
	problem_words_free(*words);
	*words = own;
	return 0;
}

char **problem_input_args(const struct problem_case *c, const char *validator)
{
	char **out = problem_words(NULL, "");
	struct err ignored;
	int mine = 0;

	for (char **w = c->input_args; out && w && *w; w++) {
		if ((*w)[0] == MARK)
			mine = !(*w)[1] || strcmp(*w + 1, validator) == 0;
		else if (mine && append(&out, *w, &ignored) < 0)
			break;
	}
	for (char **w = c->run_args; out && w && *w; w++)
		if (append(&out, *w, &ignored) < 0)
			break;
	return out;
}
