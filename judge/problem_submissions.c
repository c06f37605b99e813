/* submissions/: the example programs, and what is expected of them. */
#include <errno.h>

#include "judge/doc.h"
#include "judge/package.h"
#include "judge/problem_parts.h"
#include "proto/err.h"
#include "proto/scope.h"

#define TAG_BYTES_MAX (1U << 20) /* of a file in which tags are looked for: a source is smaller */

/* While submissions/ is read. */
struct reader {
	struct problem *p;
	const struct problem_settings *s;
	struct expect_file file; /* submissions.yaml; empty where there is none */
};

static int read_tags(struct reader *r, struct problem_submission *sub, struct err *e)
{
	int found = 0;

	for (size_t i = 0; i < sub->nfiles; i++) {
		AUTO_FREE char *text = NULL;
		size_t len;
		int rc;

		if (sub->files[i].bytes > TAG_BYTES_MAX)
			continue;
		if (package_read(r->p->dir, sub->files[i].path, TAG_BYTES_MAX, &text, &len, e) < 0)
			return -1;
		rc = expect_tag(sub->files[i].path, text, len, &sub->rules, e);
		if (rc < 0)
			return -1;
		found += rc;
		if (found > 1)
			return err_set(e, "%.100s: more than one @EXPECTED_...@ tag in one program",
				       sub->files[i].path);
	}
	return found;
}

static int copy_text(const char *from, char **to, struct err *e)
{
	*to = from ? strdup(from) : NULL;
	return !from || *to ? 0 : err_sys(e, "submissions");
}

static int check_scores(const struct reader *r, const struct problem_submission *sub, struct err *e)
{
	if (r->p->kind & PROBLEM_SCORING)
		return 0;
	for (size_t i = 0; i < sub->rules.n; i++)
		if (sub->rules.items[i].has_score || sub->rules.items[i].partial)
			return err_set(e, "submissions/%.80s: a score is expected, but %s",
				       sub->name, "the problem is pass-fail");
	return 0;
}

static int read_expectations(struct reader *r, struct problem_submission *sub, struct err *e)
{
	int legacy = r->s->format != PROBLEM_2025_09;
	int known = expect_folder(sub->folder, legacy, &sub->rules, e);
	struct expect_applied more;
	size_t before;
	int tags;

	if (known < 0)
		return -1;
	before = sub->rules.n;
	if (expect_file_apply(&r->file, sub->name, &sub->rules, &more, e) < 0)
		return -1;
	known += sub->rules.n > before;
	tags = read_tags(r, sub, e);
	if (tags < 0 || copy_text(more.language, &sub->language, e) < 0 ||
	    copy_text(more.entrypoint, &sub->entrypoint, e) < 0)
		return -1;
	if (known + tags == 0)
		return err_set(e,
			       "submissions/%.60s: expected a folder that names a verdict, like "
			       "accepted, wrong_answer, time_limit_exceeded, run_time_error, "
			       "compile_error%s",
			       sub->folder,
			       legacy ? ", or @EXPECTED_RESULTS@ in the program"
				      : ", or an entry in submissions.yaml");
	return check_scores(r, sub, e);
}

static int add_submission(struct reader *r, const char *folder, const char *path,
			  const struct package_entry *entry, struct err *e)
{
	struct problem *p = r->p;
	struct problem_submission *grown, *sub;

	grown = reallocarray(p->submissions, p->nsubmissions + 1, sizeof(*grown));
	if (!grown)
		return err_sys(e, "%s", path);
	p->submissions = grown;
	sub = &grown[p->nsubmissions++];
	*sub = (struct problem_submission){.folder = strdup(folder)};
	if (asprintf(&sub->name, "%s/%s", folder, entry->name) < 0)
		sub->name = NULL;
	if (!sub->name || !sub->folder)
		return err_sys(e, "%s", path);
	if (problem_read_program(p, path, entry, &sub->files, &sub->nfiles, e) < 0)
		return -1;
	return read_expectations(r, sub, e);
}

static int read_folder(struct reader *r, const struct package_entry *folder, struct err *e)
{
	AUTO_FREE char *path = NULL;
	struct package_entry *list;
	size_t n;
	int rc = 0;

	if (asprintf(&path, "submissions/%s", folder->name) < 0) {
		path = NULL;
		return err_sys(e, "submissions");
	}
	if (!folder->folder)
		return err_set(e, "%.80s: expected a folder that names a verdict", path);
	if (package_list(r->p->dir, path, &list, &n, e) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add_submission(r, folder->name, path, &list[i], e);
	package_list_free(list, n);
	return rc;
}

static int is_expectations(const struct reader *r, const struct package_entry *entry)
{
	return r->s->format == PROBLEM_2025_09 && !entry->folder &&
	       strcmp(entry->name, "submissions.yaml") == 0;
}

static int read_file(struct reader *r, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if (r->s->format != PROBLEM_2025_09)
		return 0;
	if (package_read(r->p->dir, "submissions/submissions.yaml", DOC_BYTES_MAX, &text, &len, e) <
	    0)
		return e->num == ENOENT ? 0 : -1;
	return expect_file_parse(text, len, &r->file, e);
}

static int check_used(const struct reader *r, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < r->file.n; i++)
		if (!r->file.entries[i].used)
			rc = problem_warn(
				r->p, e,
				"submissions/submissions.yaml:%u: %s: matches no submission",
				r->file.entries[i].line, r->file.entries[i].key);
	return rc;
}

int problem_read_submissions(struct problem *p, const struct problem_settings *s, struct err *e)
{
	struct reader r = {.p = p, .s = s};
	struct package_entry *list;
	size_t n;
	int rc = package_list(p->dir, "submissions", &list, &n, e);

	if (rc == 0)
		rc = read_file(&r, e);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (!is_expectations(&r, &list[i]))
			rc = read_folder(&r, &list[i], e);
	if (rc == 0)
		rc = check_used(&r, e);
	package_list_free(list, n);
	expect_file_release(&r.file);
	return rc;
}
