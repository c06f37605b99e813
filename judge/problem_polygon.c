/*
 * Polygon packages: problem.xml, tests by number, a checker and solutions written for testlib.
 *
 * Of what problem.xml says, all that judging depends on is taken or refused; statements, generators, validators of tests, tags
 * and the like are passed over.
 */
#include <errno.h>

#include "judge/names.h"
#include "judge/package.h"
#include "judge/problem_parts.h"
#include "judge/xml.h"
#include "proto/err.h"
#include "proto/judge.pb-c.h"
#include "proto/scope.h"

#define FILE_NAME "problem.xml"

#define KIB 1024ULL
#define MIB (1024ULL * KIB)
#define TIB (1024ULL * 1024ULL * MIB)

/* What problem.xml does not know: room enough for what Polygon's own judges would take. */
#define OUTPUT_BYTES (64 * MIB)
#define CODE_BYTES   (256 * KIB)

#define V(name) EXPECT_BIT(JUDGE__V1__VERDICT__##name)
#define AC      V(ACCEPTED)
#define WA      V(WRONG_ANSWER)
#define TLE     V(TIME_LIMIT_EXCEEDED)
#define MLE     V(MEMORY_LIMIT_EXCEEDED)
#define RTE     V(RUN_TIME_ERROR)

/*
 * What a solution with this tag does: each test permitted, one of them required.  A presentation error is a wrong answer here, and a
 * runtime that lacks memory may give up by itself.  Not there: do-not-run, which is obeyed.
 */
static const struct {
	const char *tag;
	struct expect_rule rule;
} tags[] = {
	{"main", {.permitted = AC, .required = AC}},
	{"accepted", {.permitted = AC, .required = AC}},
	{"rejected", {.required = WA | TLE | MLE | RTE, .time = EXPECT_TIME_UNUSED}},
	{"wrong-answer", {.permitted = AC | WA, .required = WA, .time = EXPECT_TIME_UNUSED}},
	{"presentation-error", {.permitted = AC | WA, .required = WA, .time = EXPECT_TIME_UNUSED}},
	{"time-limit-exceeded", {.permitted = AC | TLE, .required = TLE}},
	{"time-limit-exceeded-or-accepted", {.permitted = AC | TLE, .time = EXPECT_TIME_UNUSED}},
	{"time-limit-exceeded-or-memory-limit-exceeded",
	 {.permitted = AC | TLE | MLE | RTE,
	  .required = TLE | MLE | RTE,
	  .time = EXPECT_TIME_UNUSED}},
	{"memory-limit-exceeded",
	 {.permitted = AC | MLE | RTE, .required = MLE | RTE, .time = EXPECT_TIME_UNUSED}},
	{"failed", {.permitted = AC | RTE, .required = RTE, .time = EXPECT_TIME_UNUSED}},
};

struct polygon {
	struct problem *p;
	struct xml x;
	const struct xml_node *judging, *testset, *assets;
	uint64_t bytes; /* of all tests so far */
};

static int fail_missing(const struct polygon *g, const struct xml_node *in, const char *what,
			struct err *e)
{
	return xml_fail(&g->x, in ? in : g->x.root, e, "<%s>: expected <%s> in it",
			in ? in->name : g->x.root->name, what);
}

static int read_number(const struct polygon *g, const char *name, uint64_t least, uint64_t most,
		       uint64_t *out, struct err *e)
{
	const struct xml_node *n = xml_child(g->testset, name);
	const char *text;
	char *end;

	if (!n)
		return fail_missing(g, g->testset, name, e);
	text = n->text + strspn(n->text, " \t\r\n");
	errno = 0;
	*out = strtoull(text, &end, 10);
	end += strspn(end, " \t\r\n");
	if (*text < '0' || *text > '9' || *end || errno || *out < least || *out > most)
		return xml_fail(&g->x, n, e, "<%s>: expected a whole number from %llu to %llu",
				name, (unsigned long long)least, (unsigned long long)most);
	return 0;
}

static int read_limits(const struct polygon *g, struct err *e)
{
	struct problem_limits *l = &g->p->limits;
	uint64_t ms = 0;

	if (read_number(g, "time-limit", 1, 600000, &ms, e) < 0 ||
	    read_number(g, "memory-limit", 4 * MIB, TIB, &l->memory_bytes, e) < 0)
		return -1;
	l->time_us = ms * 1000;
	l->validation_passes = 1;
	l->output_bytes = OUTPUT_BYTES;
	l->code_bytes = CODE_BYTES;
	g->p->timing = (struct problem_timing){
		.ac_to_limit = 2.0, .limit_to_tle = 1.5, .resolution_us = 1000000};
	return 0;
}

/* The one called "tests", or the first: others are for pretests. */
static int find_testset(struct polygon *g, struct err *e)
{
	g->judging = xml_child(g->x.root, "judging");
	g->assets = xml_child(g->x.root, "assets");
	if (!g->judging || !g->assets)
		return fail_missing(g, NULL, g->judging ? "assets" : "judging", e);
	g->testset = xml_child(g->judging, "testset");
	for (const struct xml_node *n = g->testset; n; n = xml_next(n)) {
		const char *name = xml_attribute(n, "name");

		if (name && strcmp(name, "tests") == 0)
			g->testset = n;
	}
	return g->testset ? 0 : fail_missing(g, g->judging, "testset", e);
}

/* Programs that read and write files are other programs than those we run. */
static int check_judging(const struct polygon *g, struct err *e)
{
	static const char *const files[] = {"input-file", "output-file"};
	const char *runs = xml_attribute(g->judging, "run-count");

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const char *name = xml_attribute(g->judging, files[i]);

		if (name && *name && strcmp(name, "stdin") != 0 && strcmp(name, "stdout") != 0)
			return xml_fail(&g->x, g->judging, e,
					"%s: expected none: only standard input and output are "
					"supported",
					files[i]);
	}
	if (runs && strcmp(runs, "1") != 0)
		return xml_fail(&g->x, g->judging, e, "run-count: only 1 is supported yet");
	return 0;
}

/* The English one, or the first; NULL: there is none. */
static const char *find_title(const struct polygon *g)
{
	const struct xml_node *n = xml_child(xml_child(g->x.root, "names"), "name");
	const char *title = NULL;

	for (; n; n = xml_next(n)) {
		const char *language = xml_attribute(n, "language");

		if (!title || (language && strcmp(language, "english") == 0))
			title = xml_attribute(n, "value");
	}
	return title;
}

static int read_names(const struct polygon *g, struct err *e)
{
	const char *name = xml_attribute(g->x.root, "short-name");
	const char *title = find_title(g);
	struct err why;

	if (strcmp(g->x.root->name, "problem") != 0)
		return xml_fail(&g->x, g->x.root, e, "expected <problem>, not <%s>",
				g->x.root->name);
	if (name && names_problem(name, &why) < 0)
		return xml_fail(&g->x, g->x.root, e, "short-name: %s", why.msg);
	if (title && (!*title || strlen(title) > 256 || strpbrk(title, "\n\t\r")))
		return xml_fail(&g->x, xml_child(g->x.root, "names"), e,
				"name: expected one line of 1 to 256 bytes");
	if (name) {
		free(g->p->name);
		g->p->name = strdup(name);
	}
	g->p->title = strdup(title ? title : g->p->name ? g->p->name : "");
	return g->p->name && g->p->title ? 0 : err_sys(e, FILE_NAME);
}

/* "tests/%02d.a" and 7 -> "tests/07.a"; the number stands there once, with as many digits as it says. */
static int expand(const struct polygon *g, const char *name, size_t number, char **out,
		  struct err *e)
{
	const struct xml_node *n = xml_child(g->testset, name);
	const char *percent, *end;
	int width = 0;

	if (!n)
		return fail_missing(g, g->testset, name, e);
	percent = strchr(n->text, '%');
	end = percent ? percent + 1 : "";
	if (*end == '0')
		end++;
	if (*end >= '1' && *end <= '9')
		width = *end++ - '0';
	if (*end != 'd' || strchr(end, '%') || strchr(n->text, '\n'))
		return xml_fail(&g->x, n, e,
				"<%s>: expected a path with one number, like tests/%%02d", name);
	if (asprintf(out, "%.*s%0*zu%s", (int)(percent - n->text), n->text, width, number,
		     end + 1) >= 0)
		return 0;
	*out = NULL;
	return err_sys(e, FILE_NAME);
}

static int read_test_file(struct polygon *g, const struct xml_node *test, const char *pattern,
			  size_t number, struct problem_file *out, struct err *e)
{
	AUTO_FREE char *path = NULL;
	const char *slash;
	struct err why;

	if (expand(g, pattern, number, &path, e) < 0 || !path)
		return -1;
	slash = strrchr(path, '/');
	if (problem_file_read(g->p, path, slash ? slash + 1 : path, out, &why) < 0)
		return xml_fail(&g->x, test, e, "%s%s", why.msg,
				why.num == ENOENT ? ": the full package has all tests and answers"
						  : "");
	g->bytes += out->bytes;
	return g->bytes <= PROBLEM_TOTAL_MAX
		       ? 0
		       : xml_fail(&g->x, test, e, "the tests are larger than 4 GiB together");
}

static int is_sample(const struct xml_node *test)
{
	const char *sample = xml_attribute(test, "sample");

	return sample && strcmp(sample, "true") == 0;
}

static int add_test(struct polygon *g, const struct xml_node *test, size_t number, size_t group,
		    struct err *e)
{
	struct problem *p = g->p;
	struct problem_case *c = &p->cases[p->ncases++];

	*c = (struct problem_case){.group = group};
	c->args = problem_words(NULL, "");
	if (asprintf(&c->name, "%s/%03zu", p->groups[group].name, number) < 0)
		c->name = NULL;
	if (!c->name || !c->args)
		return err_sys(e, FILE_NAME);
	if (read_test_file(g, test, "input-path-pattern", number, &c->in, e) < 0)
		return -1;
	return read_test_file(g, test, "answer-path-pattern", number, &c->ans, e);
}

static int check_points(const struct polygon *g, const struct xml_node *test, struct err *e)
{
	const char *points = xml_attribute(test, "points");

	if (points && strtod(points, NULL) != 0)
		return xml_fail(&g->x, test, e, "points: not supported yet");
	return 0;
}

static int add_tests(struct polygon *g, const struct xml_node *first, int samples, struct err *e)
{
	size_t number = 1;

	for (const struct xml_node *t = first; t; t = xml_next(t), number++)
		if (is_sample(t) == samples && add_test(g, t, number, samples ? 1 : 2, e) < 0)
			return -1;
	return 0;
}

/* Samples first, as in the other formats; both in their order. */
static int read_tests(struct polygon *g, struct err *e)
{
	const struct xml_node *tests = xml_child(g->testset, "tests");
	const struct xml_node *first = xml_child(tests, "test");
	size_t n = 0;

	for (const struct xml_node *t = first; t; t = xml_next(t), n++)
		if (check_points(g, t, e) < 0)
			return -1;
	if (n == 0)
		return fail_missing(g, tests ? tests : g->testset, "test", e);
	if (n > PROBLEM_CASES_MAX)
		return xml_fail(&g->x, tests, e, "more than %d tests", PROBLEM_CASES_MAX);
	g->p->cases = calloc(n, sizeof(*g->p->cases));
	if (!g->p->cases)
		return err_sys(e, FILE_NAME);
	if (!problem_group_add(g->p, "", 0, e) || !problem_group_add(g->p, "sample", 0, e) ||
	    !problem_group_add(g->p, "secret", 0, e))
		return -1;
	return add_tests(g, first, 1, e) < 0 ? -1 : add_tests(g, first, 0, e);
}

/* The path of <source> in an element. */
static const char *source_of(const struct polygon *g, const struct xml_node *of, struct err *e)
{
	const struct xml_node *source = xml_child(of, "source");
	const char *path = source ? xml_attribute(source, "path") : NULL;

	if (path && *path)
		return path;
	xml_fail(&g->x, source ? source : of, e, "<%s>: expected <source path=\"...\"> in it",
		 of->name);
	return NULL;
}

static int add_file(const struct polygon *g, const struct xml_node *at, const char *path,
		    struct problem_file **files, size_t *n, struct err *e)
{
	struct err why;

	if (problem_source_add(g->p, path, files, n, &why) == 0)
		return 0;
	return xml_fail(&g->x, at, e, "%s", why.msg);
}

static int is_header(const char *path)
{
	static const char *const endings[] = {"h", "hh", "hpp", "hxx", "inc"};

	for (size_t i = 0; i < ARRAY_LEN(endings); i++)
		if (strcmp(names_extension(path), endings[i]) == 0)
			return 1;
	return 0;
}

static int has_file(const struct problem_program *program, const char *path)
{
	const char *slash = strrchr(path, '/');

	for (size_t i = 0; i < program->nsources; i++)
		if (strcmp(program->sources[i].name, slash ? slash + 1 : path) == 0)
			return 1;
	return 0;
}

/* Files that go with the solutions, to be compiled with them, are stubs. */
static int is_for_solutions(const struct xml_node *file)
{
	const struct xml_node *asset = xml_child(xml_child(file, "assets"), "asset");

	for (; asset; asset = xml_next(asset)) {
		const char *name = xml_attribute(asset, "name");

		if (name && strcmp(name, "SOLUTION") == 0)
			return 1;
	}
	return 0;
}

/* Headers among the resources, testlib.h first of all, lie beside each program when it is compiled. */
static int add_headers(const struct polygon *g, struct problem_program *program, struct err *e)
{
	const struct xml_node *file =
		xml_child(xml_child(xml_child(g->x.root, "files"), "resources"), "file");
	struct err ignored;

	for (; file; file = xml_next(file)) {
		const char *path = xml_attribute(file, "path");

		if (!path)
			return xml_fail(&g->x, file, e, "<file>: expected path=\"...\"");
		if (is_for_solutions(file))
			return xml_fail(&g->x, file, e,
					"%s: files for solutions are not supported yet", path);
		if (is_header(path) && !has_file(program, path) &&
		    add_file(g, file, path, &program->sources, &program->nsources, e) < 0)
			return -1;
	}
	if (has_file(program, "testlib.h") ||
	    package_kind(g->p->dir, "files/testlib.h", &ignored) != 1)
		return 0;
	return add_file(g, g->assets, "files/testlib.h", &program->sources, &program->nsources, e);
}

/* Talks with the program; the checker then looks at what it has written. */
static int read_interactor(const struct polygon *g, struct err *e)
{
	const struct xml_node *interactor = xml_child(g->assets, "interactor");
	struct problem_program *program = &g->p->interactor;
	const char *path;

	if (!interactor)
		return 0;
	path = source_of(g, interactor, e);
	if (!path || add_file(g, interactor, path, &program->sources, &program->nsources, e) < 0)
		return -1;
	g->p->kind |= PROBLEM_INTERACTIVE;
	return add_headers(g, program, e);
}

static int read_checker(const struct polygon *g, struct err *e)
{
	const struct xml_node *checker = xml_child(g->assets, "checker");
	const char *type, *path;
	struct problem *p = g->p;

	if (!checker)
		return fail_missing(g, g->assets, "checker", e);
	type = xml_attribute(checker, "type");
	if (type && strcmp(type, "testlib") != 0)
		return xml_fail(&g->x, checker, e, "type: expected testlib");
	path = source_of(g, checker, e);
	if (!path)
		return -1;
	p->custom = 1;
	p->protocol = PROBLEM_TESTLIB;
	if (add_file(g, checker, path, &p->validator.sources, &p->validator.nsources, e) < 0)
		return -1;
	return add_headers(g, &p->validator, e) < 0 ? -1 : read_interactor(g, e);
}

static int add_solution(const struct polygon *g, const struct xml_node *solution, size_t row,
			struct err *e)
{
	const char *path = source_of(g, solution, e);
	const char *slash = path ? strrchr(path, '/') : NULL;
	struct problem *p = g->p;
	struct problem_submission *s;
	struct expect_rule *rule;

	if (!path)
		return -1;
	s = reallocarray(p->submissions, p->nsubmissions + 1, sizeof(*s));
	if (!s)
		return err_sys(e, FILE_NAME);
	p->submissions = s;
	s += p->nsubmissions++;
	*s = (struct problem_submission){.folder = strdup(tags[row].tag)};
	rule = expect_add(&s->rules);
	if (rule)
		*rule = tags[row].rule;
	if (asprintf(&s->name, "%s/%s", tags[row].tag, slash ? slash + 1 : path) < 0)
		s->name = NULL;
	if (!s->name || !s->folder || !rule)
		return err_sys(e, FILE_NAME);
	return add_file(g, solution, path, &s->files, &s->nfiles, e);
}

static int read_solutions(const struct polygon *g, struct err *e)
{
	const struct xml_node *n = xml_child(xml_child(g->assets, "solutions"), "solution");

	for (; n; n = xml_next(n)) {
		const char *tag = xml_attribute(n, "tag");
		size_t row = 0;

		if (tag && strcmp(tag, "do-not-run") == 0)
			continue;
		while (row < ARRAY_LEN(tags) && (!tag || strcmp(tags[row].tag, tag) != 0))
			row++;
		if (row == ARRAY_LEN(tags))
			return xml_fail(&g->x, n, e,
					"tag: expected main, accepted, rejected, wrong-answer, "
					"time-limit-exceeded, memory-limit-exceeded, failed or "
					"another of Polygon's tags");
		if (add_solution(g, n, row, e) < 0)
			return -1;
	}
	return 0;
}

static int read_all(struct polygon *g, struct err *e)
{
	if (read_names(g, e) < 0 || find_testset(g, e) < 0 || check_judging(g, e) < 0 ||
	    read_limits(g, e) < 0)
		return -1;
	return read_checker(g, e) < 0 || read_solutions(g, e) < 0 ? -1 : read_tests(g, e);
}

int problem_read_polygon(struct problem *p, struct err *e)
{
	AUTO_FREE char *text = NULL;
	struct polygon g = {.p = p};
	size_t len;
	int rc;

	if (package_read(p->dir, FILE_NAME, XML_BYTES_MAX, &text, &len, e) < 0 ||
	    xml_parse(FILE_NAME, text, len, &g.x, e) < 0)
		return -1;
	rc = read_all(&g, e);
	xml_release(&g.x);
	return rc;
}
