#include "judge/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "judge/hash.h"
#include "judge/names.h"
#include "judge/package.h"
#include "judge/problem_parts.h"
#include "judge/unpack.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

void problem_words_free(char **words)
{
	for (char **p = words; p && *p; p++)
		free(*p);
	free(words);
}

static char **add_word(char **words, size_t n, const char *text, size_t len)
{
	char **grown = reallocarray(words, n + 2, sizeof(*grown));

	if (!grown) {
		problem_words_free(words);
		return NULL;
	}
	grown[n] = text ? strndup(text, len) : NULL;
	grown[n + 1] = NULL;
	if (text && !grown[n]) {
		problem_words_free(grown);
		return NULL;
	}
	return grown;
}

char **problem_words(char *const *before, const char *text)
{
	static const char space[] = " \t\n\v\f\r";
	char **words = add_word(NULL, 0, NULL, 0);
	size_t n = 0;

	for (; words && before && *before; before++)
		words = add_word(words, n++, *before, strlen(*before));
	while (words && *(text += strspn(text, space))) {
		size_t len = strcspn(text, space);

		words = add_word(words, n++, text, len);
		text += len;
	}
	return words;
}

char **problem_words_copy(char *const *words)
{
	return problem_words(words, "");
}

int problem_warn(struct problem *p, struct err *e, const char *fmt, ...)
{
	AUTO_FREE char *text = NULL;
	size_t n = 0;
	char **grown;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		text = NULL;
		return err_set(e, "out of memory");
	}
	while (p->warnings && p->warnings[n])
		n++;
	grown = add_word(p->warnings, n, text, (size_t)len);
	p->warnings = grown; /* add_word() frees the list when it fails */
	return grown ? 0 : err_set(e, "out of memory");
}

int problem_file_read(const struct problem *p, const char *path, const char *name,
		      struct problem_file *out, struct err *e)
{
	AUTO_CLOSE int fd = package_open_file(p->dir, path, e);

	*out = (struct problem_file){.mode = 0444};
	if (fd < 0)
		return -1;
	out->name = strdup(name);
	out->path = strdup(path);
	if (!out->name || !out->path)
		return err_sys(e, "%s", path);
	if (hash_fd(fd, PROBLEM_FILE_MAX, out->hash, &out->bytes, e) < 0)
		return err_wrap(e, "%.100s", path);
	return 0;
}

int problem_load(const struct problem *p, const struct problem_file *f, char **data, size_t *len,
		 struct err *e)
{
	AUTO_FREE char *bytes = NULL;
	char hash[HASH_LEN + 1];

	if (package_read(p->dir, f->path, PROBLEM_FILE_MAX, &bytes, len, e) < 0)
		return -1;
	if (f->constants && problem_constants_apply(&p->constants, f->path, &bytes, len, e) < 0)
		return -1;
	if (hash_bytes(bytes, *len, hash, e) < 0)
		return -1;
	if (strcmp(hash, f->hash) != 0)
		return err_set(e, "%.100s: changed while the package was read", f->path);
	*data = ptr_steal(&bytes);
	return 0;
}

static void file_release(struct problem_file *f)
{
	free(f->name);
	free(f->path);
	*f = (struct problem_file){0};
}

static void files_free(struct problem_file *files, size_t n)
{
	for (size_t i = 0; i < n; i++)
		file_release(&files[i]);
	free(files);
}

static void program_release(struct problem_program *p)
{
	files_free(p->sources, p->nsources);
	files_free(p->artifacts, p->nartifacts);
	free(p->language);
}

void problem_group_release(struct problem_group *g)
{
	free(g->name);
	problem_words_free(g->args);
	free(g->requires);
}

static void cases_free(struct problem_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct problem_case *c = &cases[i];

		free(c->name);
		problem_words_free(c->args);
		problem_words_free(c->run_args);
		problem_words_free(c->input_args);
		files_free(c->files, c->nfiles);
		file_release(&c->in);
		file_release(&c->ans);
		file_release(&c->out);
	}
	free(cases);
}

void problem_release(struct problem *p)
{
	for (size_t i = 0; i < p->ngroups; i++)
		problem_group_release(&p->groups[i]);
	free(p->groups);
	cases_free(p->cases, p->ncases);
	cases_free(p->checks, p->nchecks);
	for (size_t i = 0; i < p->ninput_validators; i++) {
		free(p->input_validators[i].name);
		program_release(&p->input_validators[i].program);
	}
	free(p->input_validators);
	for (size_t i = 0; i < p->nsubmissions; i++) {
		free(p->submissions[i].name);
		free(p->submissions[i].folder);
		free(p->submissions[i].language);
		free(p->submissions[i].entrypoint);
		expect_release(&p->submissions[i].rules);
		files_free(p->submissions[i].files, p->submissions[i].nfiles);
	}
	free(p->submissions);
	for (size_t i = 0; i < p->nincludes; i++) {
		free(p->includes[i].code);
		files_free(p->includes[i].files, p->includes[i].nfiles);
	}
	free(p->includes);
	problem_words_free(p->languages);
	problem_constants_release(&p->constants);
	program_release(&p->validator);
	program_release(&p->interactor);
	for (size_t i = 0; i < p->nalso; i++)
		program_release(&p->also[i]);
	free(p->also);
	program_release(&p->grader);
	problem_words_free(p->warnings);
	free(p->name);
	free(p->title);
	if (p->dir >= 0)
		close(p->dir);
	scratch_remove(&p->unpacked);
	*p = (struct problem){.dir = -1};
}

static int read_icpc(struct problem *p, struct err *e)
{
	struct problem_settings s;
	int rc = problem_read_settings(p, &s, e);

	p->limits = s.limits;
	p->kind = s.kind;
	p->custom_score = s.custom_score;
	p->minimize = s.minimize;
	p->show_groups = s.show_groups;
	p->timing = s.timing;
	p->languages = ptr_steal(&s.languages);
	p->constants = s.constants; /* s uses them as long as the package is read */
	if (rc == 0) {
		p->title = s.title ? ptr_steal(&s.title) : strdup(p->name);
		if (!p->title)
			rc = err_sys(e, "title");
	}
	if (rc == 0)
		rc = problem_read_programs(p, &s, e);
	if (rc == 0 && s.format == PROBLEM_LEGACY_ICPC)
		rc = problem_icpc_files(p, e);
	if (rc == 0)
		rc = problem_read_data(p, &s, e);
	s.constants = (struct problem_constants){NULL, 0};
	problem_settings_release(&s);
	return rc;
}

/* A format is known by the file that describes a package of it; the first one that is there counts. */
static const struct format {
	const char *file;
	int (*read)(struct problem *p, struct err *e);
} formats[] = {
	{"problem.yaml", read_icpc},
	{"problem.xml", problem_read_polygon},
};

/* NULL: none of them is in the folder. */
static const struct format *find_format(int dir)
{
	struct err ignored;

	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (package_kind(dir, formats[i].file, &ignored) != 0)
			return &formats[i];
	return NULL;
}

/* What a limit is measured with is part of the version: it changes when that does. */
static void write_measured(const struct problem *p, FILE *out)
{
	fprintf(out, "%a %llu\n", p->timing.ac_to_limit,
		(unsigned long long)p->timing.resolution_us);
	for (size_t i = 0; i < p->nsubmissions; i++) {
		const struct problem_submission *s = &p->submissions[i];

		if (!expect_bounds(&s->rules, EXPECT_TIME_LOWER, NULL))
			continue;
		for (size_t k = 0; k < s->nfiles; k++)
			fprintf(out, "%s %s %s\n", s->name, s->files[k].name, s->files[k].hash);
	}
}

static int set_version(struct problem *p, struct err *e)
{
	AUTO_FREE char *manifest = problem_to_manifest(p);
	AUTO_FREE char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!manifest || !out) {
		if (out)
			(void)fclose(out);
		return err_set(e, "out of memory");
	}
	fputs(manifest, out);
	if (p->timing.measured)
		write_measured(p, out);
	if (fclose(out) != 0)
		return err_sys(e, "version");
	return hash_bytes(text, len, p->version, e);
}

/*
 * The last component of the folder's real path: "problems/aplusb/" and "." have names too.  The kernel is asked about the open
 * folder, because the folders above it may be closed to us.
 */
static int read_folder_name(struct problem *p, struct err *e)
{
	char link[64];
	char real[PATH_MAX];
	const char *slash;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", p->dir);
	n = readlink(link, real, sizeof(real) - 1);
	if (n < 0)
		return err_sys(e, "the package's folder");
	real[n] = '\0';
	slash = strrchr(real, '/');
	if (!slash || names_problem(slash + 1, e) < 0)
		return err_wrap(e, "the package's folder");
	p->name = strdup(slash + 1);
	return p->name ? 0 : err_sys(e, "the package's folder");
}

/* "packages/sum.zip" -> "sum" */
static int read_archive_name(const char *path, struct problem *p, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;

	p->name = strndup(base, names_stem_len(base));
	if (!p->name)
		return err_sys(e, "the package's name");
	return names_problem(p->name, e) < 0 ? err_wrap(e, "the package's name") : 0;
}

/* The only folder at the top of an archive, which then is the package; what macOS adds does not count. */
static int enter_only_folder(struct problem *p, struct err *e)
{
	struct package_entry *list;
	const char *only = NULL;
	size_t n, found = 0;
	int rc = package_list(p->unpacked.lock, ".", &list, &n, e);

	if (rc < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].name, "__MACOSX") == 0)
			continue;
		found++;
		only = list[i].folder ? list[i].name : NULL;
	}
	if (found != 1 || !only)
		rc = err_set(
			e,
			"the archive has neither problem.yaml nor problem.xml at its top, nor only "
			"one folder there");
	else
		p->dir = package_open_folder(p->unpacked.lock, only, e);
	package_list_free(list, n);
	return rc < 0 || p->dir < 0 ? -1 : read_folder_name(p, e);
}

static int find_top(const char *path, struct problem *p, struct err *e)
{
	if (!find_format(p->unpacked.lock))
		return enter_only_folder(p, e);
	p->dir = package_open_folder(p->unpacked.lock, ".", e);
	return p->dir < 0 ? -1 : read_archive_name(path, p, e);
}

static int open_archive(const char *path, int archive, const char *under, struct problem *p,
			struct err *e)
{
	static const char prefix[] = "gavel-package-";
	const char *tmp = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */

	if (!under)
		under = tmp && *tmp ? tmp : "/tmp";
	scratch_sweep(under, prefix, scratch_remove_tree, NULL);
	if (scratch_make(under, prefix, &p->unpacked, e) < 0 ||
	    unpack_zip(archive, p->unpacked.lock, &unpack_package_limits, e) < 0)
		return -1;
	return find_top(path, p, e);
}

/* A folder, or an archive that becomes one. */
static int open_any(const char *path, const char *under, struct problem *p, struct err *e)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "cannot be opened");
	if (!S_ISDIR(st.st_mode))
		return open_archive(path, fd, under, p, e);
	p->dir = fd_steal(&fd);
	return read_folder_name(p, e);
}

int problem_read_in(const char *path, const char *scratch, struct problem *p, struct err *e)
{
	const struct format *f;

	*p = (struct problem){.dir = -1};
	if (open_any(path, scratch, p, e) < 0)
		return -1;
	f = find_format(p->dir);
	if (!f)
		return err_set(
			e, "expected problem.yaml (ICPC, Kattis) or problem.xml (Polygon) in it");
	return f->read(p, e) < 0 ? -1 : set_version(p, e);
}

int problem_read(const char *path, struct problem *p, struct err *e)
{
	return problem_read_in(path, NULL, p, e);
}
