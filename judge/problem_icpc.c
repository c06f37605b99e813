/*
 * What legacy-icpc has less than legacy.  A package that says it is one is held to that: who takes it elsewhere relies on it.
 */
#include "judge/doc.h"
#include "judge/names.h"
#include "judge/package.h"
#include "judge/problem_parts.h"
#include "proto/err.h"
#include "proto/scope.h"

int problem_icpc_settings(const struct doc *d, struct err *e)
{
	static const char *const keys[] = {"type", "grading"};
	const struct doc_node *n;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		n = doc_get(d->root, keys[i]);
		if (n)
			return doc_fail(d, n->key_line, e,
					"%s: legacy-icpc does not have it, expected "
					"problem_format_version: legacy",
					keys[i]);
	}
	n = doc_get(d->root, "validation");
	if (!n || (n->kind == DOC_SCALAR &&
		   (strcmp(n->text, "default") == 0 || strcmp(n->text, "custom") == 0 ||
		    strcmp(n->text, "custom interactive") == 0)))
		return 0;
	return doc_fail(d, n->line, e,
			"validation: legacy-icpc has default, custom and custom interactive");
}

/* Two to 255 letters, digits, '.', '-' and '_', the first and the last a letter or digit. */
static int check_name(const char *folder, const char *name, struct err *e)
{
	size_t len = strlen(name);
	char shown[80];

	if (len > 1 && !strchr(name, '+') && !strchr("._-", name[0]) &&
	    !strchr("._-", name[len - 1]))
		return 0;
	names_escape(name, len, shown, sizeof(shown));
	return err_set(e,
		       "%s: \"%s\" is not a name for legacy-icpc: at least two letters, digits and "
		       "\"._-\", a letter or digit first and last",
		       folder, shown);
}

static int check_folder(const struct problem *p, const char *folder, int flat, struct err *e)
{
	struct package_entry *list;
	size_t n;
	int rc = package_list(p->dir, folder, &list, &n, e);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = check_name(folder, list[i].name, e);
		if (rc == 0 && flat && list[i].folder)
			rc = err_set(e, "%s/%s: legacy-icpc has no groups of tests", folder,
				     list[i].name);
	}
	package_list_free(list, n);
	return rc;
}

int problem_icpc_files(const struct problem *p, struct err *e)
{
	static const struct {
		const char *folder;
		int flat;
	} folders[] = {
		{"data/sample", 1},
		{"data/secret", 1},
		{"output_validators", 0},
		{"submissions", 0},
		{"submissions/accepted", 0},
		{"submissions/wrong_answer", 0},
		{"submissions/time_limit_exceeded", 0},
		{"submissions/run_time_error", 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (check_folder(p, folders[i].folder, folders[i].flat, e) < 0)
			return -1;
	for (size_t i = 0; i < p->nsubmissions; i++)
		if (strcmp(p->submissions[i].folder, "accepted") == 0)
			return 0;
	return err_set(e, "submissions/accepted: there is no program, legacy-icpc demands one");
}
