#include "judge/supply.h"

#include <unistd.h>

#include "judge/blob_cache.h"
#include "judge/language.h"
#include "judge/problem.h"
#include "judge/sandbox_client.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define EVERYONE "default"

int supply_allows(char *const *codes, const struct language *l)
{
	for (char *const *at = codes; at && *at; at++)
		if (language_has_code(l, *at))
			return 1;
	return codes == NULL;
}

static int is_for(const struct problem_include *i, const struct language *l)
{
	return strcmp(i->code, EVERYONE) == 0 || language_has_code(l, i->code);
}

/* Whether what comes later in the list, for this very language, replaces a file. */
static int is_replaced(const struct problem *p, const struct language *l, size_t include,
		       const char *name)
{
	if (strcmp(p->includes[include].code, EVERYONE) != 0)
		return 0;
	for (size_t i = 0; i < p->nincludes; i++)
		for (size_t k = 0;
		     i != include && is_for(&p->includes[i], l) && k < p->includes[i].nfiles; k++)
			if (strcmp(p->includes[i].files[k].name, name) == 0)
				return 1;
	return 0;
}

/* The files for a language, in files with room for all; returns how many. */
static size_t files_for(const struct problem *p, const struct language *l,
			const struct problem_file **files)
{
	size_t n = 0;

	for (size_t i = 0; i < p->nincludes; i++)
		for (size_t k = 0; is_for(&p->includes[i], l) && k < p->includes[i].nfiles; k++)
			if (!is_replaced(p, l, i, p->includes[i].files[k].name))
				files[n++] = &p->includes[i].files[k];
	return n;
}

static size_t count_all(const struct problem *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->nincludes; i++)
		n += p->includes[i].nfiles;
	return n;
}

static int has_file(const struct problem_file *const *files, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(files[i]->name, name) == 0)
			return 1;
	return 0;
}

static int load(const struct problem_file *f, struct blob_cache *blobs, struct compile_source *to,
		struct err *e)
{
	AUTO_CLOSE int blob = blob_cache_get(blobs, f->hash, e);
	AUTO_CLOSE int fd = blob < 0 ? -1 : io_reopen(blob, e);
	char *data;

	if (fd < 0 || io_read_fd(fd, f->bytes + 1, &data, &to->len, e) < 0)
		return err_wrap(e, "include: %.100s", f->name);
	to->name = f->name;
	to->data = data;
	return 0;
}

int supply_sources(const struct problem *p, const struct language *l, struct blob_cache *blobs,
		   const struct compile_source *sources, size_t n, struct supply *out,
		   struct err *e)
{
	size_t most = count_all(p), nfiles;
	const struct problem_file **files = calloc(most + 1, sizeof(struct problem_file *));
	int rc = 0;

	*out = (struct supply){.sources = calloc(n + most + 1, sizeof(*out->sources))};
	if (!files || !out->sources) {
		free(files);
		return err_set(e, "out of memory");
	}
	nfiles = files_for(p, l, files);
	for (size_t i = 0; i < n; i++)
		if (!has_file(files, nfiles, sources[i].name))
			out->sources[out->nown++] = sources[i];
	out->nsources = out->nown;
	for (size_t i = 0; rc == 0 && i < nfiles; i++) {
		rc = load(files[i], blobs, &out->sources[out->nsources], e);
		out->nsources += rc == 0;
	}
	free(files);
	return rc;
}

void supply_release(struct supply *s)
{
	for (size_t i = s->nown; i < s->nsources; i++)
		free((void *)s->sources[i].data);
	free(s->sources);
	*s = (struct supply){.sources = NULL};
}

static int put(struct sandbox_client *c, const struct problem_file *const *files, size_t n,
	       struct blob_cache *blobs, struct err *e)
{
	struct sandbox_file *list = calloc(n, sizeof(*list));
	size_t got = 0;
	int rc = 0;

	if (!list)
		return err_set(e, "out of memory");
	for (; rc == 0 && got < n; got++) {
		list[got] = (struct sandbox_file){files[got]->name, files[got]->mode,
						  blob_cache_get(blobs, files[got]->hash, e)};
		rc = list[got].fd < 0 ? -1 : 0;
	}
	if (rc == 0)
		rc = sandbox_client_put(c, list, n, 0, e);
	for (size_t i = 0; i < got; i++)
		if (list[i].fd >= 0)
			(void)close(list[i].fd);
	free(list);
	return rc;
}

int supply_box(struct sandbox_client *c, const struct problem *p, const struct language *l,
	       const struct problem_case *test, struct blob_cache *blobs, struct err *e)
{
	size_t most = count_all(p) + test->nfiles, included, n = 0;
	const struct problem_file **files;
	int rc;

	if (most == 0)
		return 0;
	files = calloc(most, sizeof(struct problem_file *));
	if (!files)
		return err_set(e, "out of memory");
	included = files_for(p, l, files);
	for (size_t i = 0; i < included; i++) {
		size_t k = 0;

		while (k < test->nfiles && strcmp(test->files[k].name, files[i]->name) != 0)
			k++;
		if (k == test->nfiles)
			files[n++] = files[i];
	}
	for (size_t i = 0; i < test->nfiles; i++)
		files[n++] = &test->files[i];
	rc = n > 0 ? put(c, files, n, blobs, e) : 0;
	free(files);
	return rc < 0 ? -1 : n > 0;
}
