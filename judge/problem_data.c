#include <errno.h>

#include "judge/doc.h"
#include "judge/names.h"
#include "judge/package.h"
#include "judge/problem_parts.h"
#include "proto/err.h"
#include "proto/scope.h"

/* What tests have: .in and .ans, .in alone, all with .out. */
enum walk_kind { WALK_TESTS, WALK_INPUTS, WALK_OUTPUTS };

/* While data/ is walked. */
struct walk {
	struct problem *p;
	const struct problem_settings *s;
	size_t room;
	uint64_t bytes; /* of all tests so far */
	enum walk_kind what;
};

/* The arguments of the validator for a group of tests, inherited downwards. */
struct group {
	const char *path;
	size_t index; /* in problem.groups */
	unsigned depth;
	char **args, **run_args,
		**input_args; /* of the validator, the program, the input validators */
	struct validator_flags flags;
};

/* testdata.yaml (legacy), test_group.yaml and NAME.yaml (2025-09). */
struct group_file {
	struct problem_group_keys keys;
	char *flags;
	char **args, **run_args;
	int flag;
};

#define AT(member) .offset = offsetof(struct group_file, member)

/* clang-format off */
static const struct doc_field testdata_fields[] = {
	{"on_reject",              DOC_STRING, AT(keys.on_reject)},
	{"grading",                DOC_STRING, AT(keys.grading)},
	{"grader_flags",           DOC_STRING, AT(keys.grader_flags)},
	{"input_validator_flags",  .type = DOC_ANY},
	{"output_validator_flags", DOC_STRING, AT(flags)},
	{"accept_score",           DOC_STRING, AT(keys.accept_score)},
	{"reject_score",           DOC_STRING, AT(keys.reject_score)},
	{"range",                  DOC_STRING, AT(keys.range)},
	{.key = NULL},
};

static const struct doc_field group_fields[] = {
	{"max_score",              DOC_STRING, AT(keys.max_score)},
	{"score_aggregation",      DOC_STRING, AT(keys.aggregation)},
	{"static_validation_score", .type = DOC_REFUSED},
	{"static_validator_args",  .type = DOC_REFUSED},
	{"require_pass",           .type = DOC_ANY},
	{"args",                   DOC_STRINGS, AT(run_args)},
	{"input_validator_args",   .type = DOC_ANY},
	{"output_validator_args",  DOC_STRINGS, AT(args)},
	{"input_visualizer_args",  .type = DOC_ANY},
	{"output_visualizer_args", .type = DOC_ANY},
	{"full_feedback",          DOC_FLAG, AT(flag)},
	{.key = NULL},
};

static const struct doc_field case_fields[] = {
	{"args",                   DOC_STRINGS, AT(run_args)},
	{"input_validator_args",   .type = DOC_ANY},
	{"output_validator_args",  DOC_STRINGS, AT(args)},
	{"input_visualizer_args",  .type = DOC_ANY},
	{"output_visualizer_args", .type = DOC_ANY},
	{"full_feedback",          DOC_FLAG, AT(flag)},
	{"hint",                   .type = DOC_ANY},
	{"description",            .type = DOC_ANY},
	{.key = NULL},
};
/* clang-format on */

static int walk_folder(struct walk *w, const struct group *up, const char *path, unsigned depth,
		       struct err *e);

static char *join(const char *folder, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

static void group_release(struct group *g)
{
	problem_words_free(g->args);
	problem_words_free(g->run_args);
	problem_words_free(g->input_args);
}

/* The group's arguments as this file changes them. */
static int apply(struct walk *w, const struct doc *d, struct group_file *f, struct group *g,
		 struct err *e)
{
	const struct doc_node *line = doc_get(d->root, "output_validator_args");
	char **args = NULL;
	struct err why;

	if (f->flags) {
		line = doc_get(d->root, "output_validator_flags");
		args = problem_words(w->s->args, f->flags);
		if (!args)
			return err_sys(e, "%s", d->file);
	} else if (f->args) {
		args = ptr_steal(&f->args);
	} else {
		return 0;
	}
	problem_words_free(g->args);
	g->args = args;
	if (!w->p->custom && validator_flags_parse((const char *const *)args, &g->flags, &why) < 0)
		return doc_fail(d, line->line, e, "%s: %s", line->key, why.msg);
	return 0;
}

/* What a file means for the group, or the test, that it belongs to. */
static int take_file(struct walk *w, const struct doc *d, struct group_file *f, struct group *g,
		     int is_case, struct err *e)
{
	if (!is_case && problem_group_read(w->p, w->s, g->index, &f->keys, d, g->path, e) < 0)
		return -1;
	return d ? apply(w, d, f, g, e) : 0;
}

/* Reads one of the files above, if it is there. */
static int read_group_file(struct walk *w, const char *path, const struct doc_field *fields,
			   struct group *g, struct err *e)
{
	int is_case = fields == case_fields;
	AUTO_FREE char *text = NULL;
	struct group_file f = {0};
	struct doc d;
	size_t len;
	int rc;

	if (package_read(w->p->dir, path, DOC_BYTES_MAX, &text, &len, e) < 0)
		return e->num == ENOENT ? take_file(w, NULL, &f, g, is_case, e) : -1;
	if (fields == group_fields &&
	    problem_constants_apply(&w->s->constants, path, &text, &len, e) < 0)
		return -1;
	if (doc_parse(path, text, len, &d, e) < 0)
		return -1;
	rc = doc_read(&d, d.root, fields, &f, e);
	if (rc == 0)
		rc = take_file(w, &d, &f, g, is_case, e);
	if (rc == 0)
		rc = problem_read_input_args(&d, &g->input_args, e);
	if (rc == 0 && f.run_args) {
		problem_words_free(g->run_args);
		g->run_args = ptr_steal(&f.run_args);
	}
	doc_fields_release(fields, &f);
	doc_release(&d);
	return rc;
}

static int inherit(const struct group *up, struct group *g)
{
	g->args = problem_words_copy(up->args);
	g->run_args = problem_words_copy(up->run_args);
	g->input_args = problem_words_copy(up->input_args);
	return g->args && g->run_args && g->input_args ? 0 : -1;
}

/* 2025-09: folders inside of a group are only folders. */
static int is_plain_folder(const struct walk *w, unsigned depth)
{
	return w->s->format == PROBLEM_2025_09 && depth > 1;
}

static int misplaced_group_file(const char *path, struct err *e)
{
	return err_set(
		e,
		"%s: only data/sample, data/secret and the folders in data/secret have this file",
		path);
}

static int group_open(struct walk *w, const struct group *up, const char *path, unsigned depth,
		      struct group *g, struct err *e)
{
	int legacy = w->s->format != PROBLEM_2025_09;
	AUTO_FREE char *file = join(path, legacy ? "testdata.yaml" : "test_group.yaml");

	*g = (struct group){.path = path, .depth = depth, .index = up->index, .flags = up->flags};
	if (!file || inherit(up, g) < 0)
		return err_sys(e, "%s", path);
	if (is_plain_folder(w, depth))
		return 0;
	if (!legacy && strcmp(path, "data") == 0 && package_kind(w->p->dir, file, e) != 0)
		return misplaced_group_file(file, e);
	g->index = w->p->ngroups;
	if (!problem_group_add(w->p, path + strlen(g->index ? "data/" : "data"), up->index, e))
		return -1;
	return read_group_file(w, file, legacy ? testdata_fields : group_fields, g, e);
}

static struct problem_case *new_case(struct walk *w)
{
	struct problem *p = w->p;

	if (p->ncases == w->room) {
		size_t room = w->room ? w->room * 2 : 32;
		struct problem_case *grown = reallocarray(p->cases, room, sizeof(*grown));

		if (!grown)
			return NULL;
		p->cases = grown;
		w->room = room;
	}
	p->cases[p->ncases] = (struct problem_case){0};
	return &p->cases[p->ncases++];
}

static int read_case_file(struct walk *w, const char *base, const char *suffix,
			  struct problem_file *out, struct err *e)
{
	AUTO_FREE char *path = NULL;

	if (asprintf(&path, "%s%s", base, suffix) < 0) {
		path = NULL;
		return err_sys(e, "%s", base);
	}
	if (problem_file_read(w->p, path, strrchr(path, '/') + 1, out, e) < 0)
		return -1;
	w->bytes += out->bytes;
	if (w->bytes > PROBLEM_TOTAL_MAX)
		return err_set(e, "%s: the tests are larger than 4 GiB together", path);
	return 0;
}

/* NAME.files of 2025-09 */
static int read_files_folder(struct walk *w, const char *base, struct problem_case *c,
			     struct err *e)
{
	AUTO_FREE char *folder = NULL;

	if (w->s->format != PROBLEM_2025_09)
		return 0;
	if (asprintf(&folder, "%s.files", base) < 0) {
		folder = NULL;
		return err_sys(e, "%s", base);
	}
	if (problem_read_files(w->p, folder, 0, &c->files, &c->nfiles, e) < 0)
		return -1;
	for (size_t i = 0; i < c->nfiles; i++)
		w->bytes += c->files[i].bytes;
	return 0;
}

/* base: "data/secret/01" */
static int add_case(struct walk *w, const struct group *g, const char *base, struct err *e)
{
	AUTO_FREE char *yaml = NULL;
	struct group own = {.index = g->index, .flags = g->flags};
	struct problem_case *c;
	int rc = 0;

	if (w->p->ncases == PROBLEM_CASES_MAX)
		return err_set(e, "data: more than %d tests", PROBLEM_CASES_MAX);
	c = new_case(w);
	if (!c || asprintf(&yaml, "%s.yaml", base) < 0) {
		yaml = NULL;
		return err_sys(e, "%s", base);
	}
	c->name = strdup(base + strlen("data/"));
	c->group = g->index;
	if (inherit(g, &own) < 0 || !c->name)
		rc = err_sys(e, "%s", base);
	else if (w->s->format == PROBLEM_2025_09)
		rc = read_group_file(w, yaml, case_fields, &own, e);
	c->args = own.args;
	c->run_args = own.run_args;
	c->input_args = own.input_args;
	c->flags = own.flags;
	if (rc < 0 || read_files_folder(w, base, c, e) < 0)
		return -1;
	if (read_case_file(w, base, ".in", &c->in, e) < 0 ||
	    (w->what != WALK_INPUTS && read_case_file(w, base, ".ans", &c->ans, e) < 0))
		return -1;
	return w->what == WALK_OUTPUTS ? read_case_file(w, base, ".out", &c->out, e) : 0;
}

static int ends(const char *name, const char *end)
{
	size_t a = strlen(name), b = strlen(end);

	return a > b && strcmp(name + a - b, end) == 0;
}

/* Files beside the tests that do not change a verdict. */
static int is_extra(const struct walk *w, const char *name)
{
	static const char *const both[] = {".png", ".jpg", ".jpeg", ".svg", ".interaction"};
	static const char *const legacy[] = {".hint", ".desc"};
	static const char *const new[] = {".out", ".in.statement", ".ans.statement", ".in.download",
					  ".ans.download"};
	int is_new = w->s->format == PROBLEM_2025_09;

	if (strcmp(name, is_new ? "test_group.yaml" : "testdata.yaml") == 0)
		return 1;
	for (size_t i = 0; i < ARRAY_LEN(both); i++)
		if (ends(name, both[i]))
			return 1;
	for (size_t i = 0; !is_new && i < ARRAY_LEN(legacy); i++)
		if (ends(name, legacy[i]))
			return 1;
	for (size_t i = 0; is_new && i < ARRAY_LEN(new); i++)
		if (ends(name, new[i]))
			return 1;
	return 0;
}

/* The file that a test needs beside the one at path: swaps the ending. */
static int check_partner(const struct walk *w, const char *path, const char *mine,
			 const char *other, struct err *e)
{
	AUTO_FREE char *partner = NULL;
	int stem = (int)(strlen(path) - strlen(mine));
	int kind;

	if (asprintf(&partner, "%.*s%s", stem, path, other) < 0) {
		partner = NULL;
		return err_sys(e, "%s", path);
	}
	kind = package_kind(w->p->dir, partner, e);
	if (kind < 0)
		return -1;
	return kind == 1 ? 0 : err_set(e, "%s: there is no %s", path, strrchr(partner, '/') + 1);
}

/* 2025-09: a test shares its name neither with a folder nor with the file of its group. */
static int check_name(const struct walk *w, const char *base, struct err *e)
{
	int kind = package_kind(w->p->dir, base, e);

	if (kind < 0)
		return -1;
	if (kind == 2)
		return err_set(e, "%s: is a folder and a test (%s.in), expected one of the two",
			       base, strrchr(base, '/') + 1);
	if (strcmp(strrchr(base, '/'), "/test_group") == 0)
		return err_set(e,
			       "%s.in: no test has this name, as test_group.yaml is the file of "
			       "its group",
			       base);
	return 0;
}

static int walk_input(struct walk *w, const struct group *g, const char *path, struct err *e)
{
	AUTO_FREE char *base = NULL;
	int rc;

	if (asprintf(&base, "%.*s", (int)(strlen(path) - strlen(".in")), path) < 0) {
		base = NULL;
		return err_sys(e, "%s", path);
	}
	rc = w->s->format == PROBLEM_2025_09 ? check_name(w, base, e) : 0;
	if (rc == 0 && w->what != WALK_INPUTS)
		rc = check_partner(w, path, ".in", ".ans", e);
	if (rc == 0 && w->what == WALK_OUTPUTS)
		rc = check_partner(w, path, ".in", ".out", e);
	if (rc == 0)
		rc = add_case(w, g, base, e);
	return rc;
}

static int walk_file(struct walk *w, const struct group *g, const char *path, struct err *e)
{
	if (is_plain_folder(w, g->depth) && ends(path, "/test_group.yaml"))
		return misplaced_group_file(path, e);
	if (ends(path, ".ans"))
		return check_partner(w, path, ".ans", ".in", e);
	if (ends(path, ".in"))
		return walk_input(w, g, path, e);
	if (!is_extra(w, strrchr(path, '/') + 1) && w->s->format == PROBLEM_2025_09 &&
	    ends(path, ".yaml"))
		return check_partner(w, path, ".yaml", ".in", e);
	if (!is_extra(w, strrchr(path, '/') + 1))
		return err_set(e,
			       "%s: not a file that belongs here: a test is NAME.in and NAME.ans",
			       path);
	return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): PROBLEM_DEPTH_MAX deep */
static int walk_subfolder(struct walk *w, const struct group *g, const char *path, struct err *e)
{
	if (w->s->format == PROBLEM_2025_09 && ends(path, ".files"))
		return check_partner(w, path, ".files", ".in", e);
	if (w->s->format == PROBLEM_2025_09 && strncmp(path, "data/sample/", 12) == 0)
		return err_set(e, "%s: only data/secret may have groups of tests", path);
	if (g->depth == PROBLEM_DEPTH_MAX)
		return err_set(e, "%s: nested more than %d deep", path, PROBLEM_DEPTH_MAX);
	return walk_folder(w, g, path, g->depth + 1, e);
}

/* NOLINTNEXTLINE(misc-no-recursion): PROBLEM_DEPTH_MAX deep */
static int walk_folder(struct walk *w, const struct group *up, const char *path, unsigned depth,
		       struct err *e)
{
	struct package_entry *list = NULL;
	struct group g = {0};
	size_t n = 0, folders = 0, direct = 0;
	int rc;

	rc = package_list(w->p->dir, path, &list, &n, e);
	if (rc == 0)
		rc = group_open(w, up, path, depth, &g, e);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		AUTO_FREE char *child = join(path, list[i].name);
		size_t before = w->p->ncases;

		if (!child)
			rc = err_sys(e, "%s", path);
		else if (list[i].folder)
			rc = walk_subfolder(w, &g, child, e);
		else
			rc = walk_file(w, &g, child, e);
		folders += list[i].folder && !ends(list[i].name, ".files");
		direct += !list[i].folder && w->p->ncases > before;
	}
	if (rc == 0 && w->s->format == PROBLEM_2025_09 && depth == 0 && folders && direct)
		rc = err_set(e, "%s: has tests and groups, expected one of the two", path);
	package_list_free(list, n);
	group_release(&g);
	return rc;
}

/* Folder by folder, so that the tests of a group stay together: "1/x" comes before "1-small/x". */
static int by_name(const void *a, const void *b)
{
	const char *x = ((const struct problem_case *)a)->name;
	const char *y = ((const struct problem_case *)b)->name;

	for (; *x && *x == *y; x++)
		y++;
	return (*x == '/' ? 1 : (unsigned char)*x) - (*y == '/' ? 1 : (unsigned char)*y);
}

/* One of the folders that tests of the package's own programs are in; read like tests, and put beside them. */
static int read_checks(struct problem *p, const struct problem_settings *s, const struct group *top,
		       const char *folder, enum walk_kind what, struct err *e)
{
	struct problem own = {.dir = p->dir, .custom = p->custom};
	struct walk w = {.p = &own, .s = s, .what = what};
	struct problem_case *grown = NULL;
	struct group data = {0};
	int rc = group_open(&w, top, "data", 0, &data, e);

	if (rc == 0)
		rc = walk_folder(&w, &data, folder, 0, e);
	group_release(&data);
	if (rc == 0 && own.ncases > 0) {
		grown = reallocarray(p->checks, p->nchecks + own.ncases, sizeof(*grown));
		rc = grown ? 0 : err_sys(e, "%s", folder);
	}
	if (grown) {
		memcpy(grown + p->nchecks, own.cases, own.ncases * sizeof(*grown));
		p->checks = grown;
		p->nchecks += own.ncases;
		free(own.cases);
		own.cases = NULL;
		own.ncases = 0;
	}
	own.dir = -1; /* it is the package's */
	problem_release(&own);
	return rc;
}

static int read_all_checks(struct problem *p, const struct problem_settings *s,
			   const struct group *top, struct err *e)
{
	if (s->format != PROBLEM_2025_09)
		return 0;
	if (read_checks(p, s, top, "data/invalid_input", WALK_INPUTS, e) < 0 ||
	    read_checks(p, s, top, "data/invalid_output", WALK_OUTPUTS, e) < 0)
		return -1;
	return read_checks(p, s, top, "data/valid_output", WALK_OUTPUTS, e);
}

/* Tests beside the two folders would be passed over. */
static int check_loose_tests(const struct problem *p, struct err *e)
{
	struct package_entry *list;
	size_t n;
	int rc = package_list(p->dir, "data", &list, &n, e);

	for (size_t i = 0; rc == 0 && i < n; i++)
		if (!list[i].folder && (ends(list[i].name, ".in") || ends(list[i].name, ".ans")))
			rc = err_set(e, "data/%s: expected tests in data/sample or data/secret",
				     list[i].name);
	package_list_free(list, n);
	return rc;
}

int problem_read_data(struct problem *p, const struct problem_settings *s, struct err *e)
{
	struct walk w = {.p = p, .s = s};
	struct group top = {.path = "data", .args = s->args};
	struct group data = {0};
	char *none[] = {NULL};
	struct err why;
	size_t samples;
	int rc;

	if (!top.args)
		top.args = none;
	if (!p->custom &&
	    validator_flags_parse((const char *const *)top.args, &top.flags, &why) < 0)
		return err_set(e, "problem.yaml:%u: validator_flags: %s", s->args_line, why.msg);
	rc = check_loose_tests(p, e);
	if (rc == 0)
		rc = group_open(&w, &top, "data", 0, &data, e); /* 2025-09 has no file there */
	if (rc == 0)
		rc = walk_folder(&w, &data, "data/sample", 0, e);
	samples = p->ncases;
	if (rc == 0)
		rc = walk_folder(&w, &data, "data/secret", 0, e);
	group_release(&data);
	if (rc < 0 || read_all_checks(p, s, &top, e) < 0)
		return -1;
	if (p->ncases == samples)
		return err_set(e, "data/secret: there is no test");
	qsort(p->cases, p->ncases, sizeof(*p->cases), by_name); /* "sample/" < "secret/" */
	return problem_groups_check(p, e);
}
