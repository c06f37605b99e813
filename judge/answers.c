#include "judge/answers.h"

#include "judge/compile.h"
#include "judge/language.h"
#include "judge/problem.h"
#include "proto/scope.h"

static char *nothing[] = {NULL};
static char name[] = ANSWERS_LANGUAGE;
static char title[] = "Output files";
static char said[] = "no compiler";

static const struct language none = {
	.name = name,
	.title = title,
	.extensions = nothing,
	.version = nothing,
	.run = {.command = nothing, .env = nothing, .time_factor = 1},
	.available = 1,
	.found = said,
};

const struct language *answers_language(void)
{
	return &none;
}

/* Without its ending; 0 for a name that has another one. */
static size_t stem(const char *file)
{
	size_t len = strlen(file);

	if (len > 4 && (strcmp(file + len - 4, ".out") == 0 || strcmp(file + len - 4, ".ans") == 0))
		return len - 4;
	return 0;
}

static const char *last_part(const char *test)
{
	const char *slash = strrchr(test, '/');

	return slash ? slash + 1 : test;
}

static int equals(const char *word, const char *file, size_t len)
{
	return strlen(word) == len && memcmp(word, file, len) == 0;
}

/* "secret/tiny/01" is secret-tiny-01 too. */
static int equals_whole(const char *test, const char *file, size_t len)
{
	size_t i = 0;

	while (i < len && test[i] && (test[i] == '/' ? '-' : test[i]) == file[i])
		i++;
	return i == len && !test[i];
}

static size_t count_last(const struct problem *p, const char *file, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < p->ncases; i++)
		n += (size_t)equals(last_part(p->cases[i].name), file, len);
	return n;
}

static int belongs(const struct problem *p, size_t test, const char *file)
{
	const char *of = p->cases[test].name;
	size_t len = stem(file);

	if (len == 0)
		return 0;
	return equals_whole(of, file, len) ||
	       (equals(last_part(of), file, len) && count_last(p, file, len) == 1);
}

const struct compile_source *answers_find(const struct problem *p, size_t test,
					  const struct compile_source *files, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (belongs(p, test, files[i].name))
			return &files[i];
	return NULL;
}

static int file_fits(const struct problem *p, const char *file, char *why, size_t size)
{
	for (size_t t = 0; t < p->ncases; t++)
		if (belongs(p, t, file))
			return 1;
	if (stem(file) == 0)
		snprintf(why, size, "%s: expected the output for a test, in a file TEST.out", file);
	else if (count_last(p, file, stem(file)) > 1)
		snprintf(why, size,
			 "%s: several tests are called that; their whole names are like "
			 "secret-%s",
			 file, file);
	else
		snprintf(why, size, "%s: there is no such test", file);
	return 0;
}

int answers_fit(const struct problem *p, const struct compile_source *files, size_t n, char *why,
		size_t size)
{
	for (size_t i = 0; i < n; i++)
		if (!file_fits(p, files[i].name, why, size))
			return 0;
	for (size_t t = 0; t < p->ncases; t++) {
		const struct compile_source *first = answers_find(p, t, files, n);
		size_t rest = first ? n - 1 - (size_t)(first - files) : 0;
		const struct compile_source *second =
			rest ? answers_find(p, t, first + 1, rest) : NULL;

		if (!second)
			continue;
		snprintf(why, size, "%s and %s are both for test %s", first->name, second->name,
			 p->cases[t].name);
		return 0;
	}
	return 1;
}
