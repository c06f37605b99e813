#include "judge/language.h"

#include <strings.h>

#include "judge/entry.h"
#include "judge/names.h"
#include "proto/err.h"
#include "proto/scope.h"

static int is_among(char *const *extensions, const char *file)
{
	const char *extension = names_extension(file);

	for (; extensions && *extensions; extensions++)
		if (strcmp(*extensions, extension) == 0)
			return 1;
	return 0;
}

int language_has_extension(const struct language *l, const char *file)
{
	return is_among(l->extensions, file) || is_among(l->also, file);
}

const struct language *languages_find(const struct languages *all, const char *name)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->items[i].name, name) == 0)
			return &all->items[i];
	return NULL;
}

int language_has_code(const struct language *l, const char *code)
{
	return strcmp(l->name, code) == 0 || strcmp(l->code, code) == 0;
}

const struct language *languages_by_code(const struct languages *all, const char *code,
					 struct err *e)
{
	const struct language *found = NULL, *other = NULL;
	char shown[48];

	names_escape(code, strlen(code), shown, sizeof(shown));
	for (size_t i = 0; i < all->n; i++) {
		const struct language *l = &all->items[i];

		if (!l->available || !language_has_code(l, code))
			continue;
		if (l->preferred || strcmp(l->name, code) == 0)
			return l;
		other = found;
		found = l;
	}
	if (!found)
		err_set(e, "no language on this machine is called %s", shown);
	else if (other)
		err_set(e, "%s could be %s or %s: one of them must be `preferred`", shown,
			other->name, found->name);
	return other ? NULL : found;
}

const struct language *languages_by_file(const struct languages *all, const char *file, int package,
					 struct err *e)
{
	const struct language *found = NULL;
	const char *other = NULL;
	char shown[48];

	names_escape(file, strlen(file), shown, sizeof(shown));
	for (size_t i = 0; i < all->n; i++) {
		const struct language *l = &all->items[i];

		if (!l->available || !is_among(l->extensions, file))
			continue;
		if (package && l->preferred)
			return l;
		other = found ? found->name : NULL;
		found = l;
	}
	if (!found)
		err_set(e, "\"%s\": no language on this machine has this extension", shown);
	else if (other)
		err_set(e, "\"%s\": could be %s or %s: %s", shown, other, found->name,
			package ? "one of them must be `preferred`" : "say which language it is");
	return other ? NULL : found;
}

const struct language *languages_by_files(const struct languages *all, const char *const *names,
					  size_t n, int package, struct err *e)
{
	const struct language *found = NULL;
	struct err why;

	if (n == 1)
		return languages_by_file(all, names[0], package, e);
	for (size_t i = 0; i < n; i++) {
		const struct language *l = languages_by_file(all, names[i], package, &why);
		size_t index;

		if (!l || l == found)
			continue;
		if (language_main(l, names, n, &index, &why) < 0)
			continue;
		if (found) {
			err_set(e, "the files could be %s or %s", found->name, l->name);
			return NULL;
		}
		found = l;
	}
	if (!found)
		err_set(e, "no language on this machine has a main file here: one file with its "
			   "extension, or one of them called main");
	return found;
}

void language_default_name(const struct language *l, char *out, size_t size)
{
	if (l->main)
		snprintf(out, size, "%s", l->main);
	else
		snprintf(out, size, "main.%s", l->extensions[0]);
}

static int is_main(const struct language *l, const char *file)
{
	if (l->main && strcmp(l->main, file) == 0)
		return 1;
	return names_stem_len(file) == 4 && strncasecmp(file, "main", 4) == 0;
}

int language_main(const struct language *l, const char *const *names, size_t n, size_t *index,
		  struct err *e)
{
	size_t fitting = 0, mains = 0, first = 0, main = 0;

	for (size_t i = 0; i < n; i++) {
		if (!language_has_extension(l, names[i]))
			continue;
		if (fitting++ == 0)
			first = i;
		if (is_main(l, names[i]) && mains++ == 0)
			main = i;
	}
	if (fitting == 0)
		return err_set(e, "no file has an extension of %s (.%s)", l->name,
			       l->extensions[0]);
	if (fitting > 1 && mains != 1 && !l->entry)
		return err_set(
			e, "%zu files of %s, %s of them called main.%s: no telling where it begins",
			fitting, l->name, mains ? "several" : "none", l->extensions[0]);
	*index = mains == 0 ? first : main;
	return 0;
}

/* Appends one argument; takes its memory. */
static int argv_add(char ***argv, size_t *n, char *text)
{
	char **grown = text ? reallocarray(*argv, *n + 2, sizeof(*grown)) : NULL;

	if (!grown) {
		free(text);
		return -1;
	}
	*argv = grown;
	grown[(*n)++] = text;
	grown[*n] = NULL;
	return 0;
}

struct words { /* what the placeholders become */
	const char *const *names;
	size_t n, main;
	const char *entry;
	char stem[NAMES_SOURCE_MAX + 1];
	char memory_mb[24];
};

/* The main file first: some compilers name the program after it. */
static int add_files(const struct language *l, const struct words *w, char ***argv, size_t *n)
{
	if (argv_add(argv, n, strdup(w->names[w->main])) < 0)
		return -1;
	for (size_t i = 0; i < w->n; i++)
		if (i != w->main && language_has_extension(l, w->names[i]) &&
		    argv_add(argv, n, strdup(w->names[i])) < 0)
			return -1;
	return 0;
}

static char *expand(const char *text, const struct words *w)
{
	const struct {
		const char *name, *value;
	} known[] = {{"{main}", w->names[w->main]},
		     {"{stem}", w->stem},
		     {"{entry}", w->entry},
		     {"{memory_mb}", w->memory_mb}};
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	if (!f)
		return NULL;
	while (*text) {
		size_t i = 0;

		while (i < ARRAY_LEN(known) &&
		       strncmp(text, known[i].name, strlen(known[i].name)) != 0)
			i++;
		if (i == ARRAY_LEN(known)) {
			fputc(*text++, f);
			continue;
		}
		fputs(known[i].value, f);
		text += strlen(known[i].name);
	}
	if (fclose(f) != 0) {
		free(out);
		return NULL;
	}
	return out;
}

static char **make_argv(const struct language *l, char *const *command, const struct words *w,
			struct err *e)
{
	char **argv = NULL;
	size_t n = 0;

	for (; *command; command++) {
		int rc = strcmp(*command, "{files}") == 0
				 ? add_files(l, w, &argv, &n)
				 : argv_add(&argv, &n, expand(*command, w));

		if (rc == 0)
			continue;
		language_argv_free(argv);
		err_sys(e, "command of %s", l->name);
		return NULL;
	}
	return argv;
}

/* entry: NULL for the stem. */
static struct words make_words(const char *const *names, size_t n, size_t main, const char *entry,
			       uint64_t memory_bytes)
{
	struct words w = {.names = names, .n = n, .main = main, .entry = entry};
	uint64_t mb = memory_bytes >> 20;

	snprintf(w.stem, sizeof(w.stem), "%.*s", (int)names_stem_len(names[main]), names[main]);
	snprintf(w.memory_mb, sizeof(w.memory_mb), "%llu", (unsigned long long)(mb ? mb : 1));
	return w;
}

static char **argv_at(const struct language *l, char *const *command, const struct entry *entry,
		      uint64_t memory_bytes, struct err *e)
{
	struct words w = make_words((const char *const *)entry->names, entry->n, entry->main,
				    entry->name, memory_bytes);

	return make_argv(l, command, &w, e);
}

static char **argv_of(const struct language *l, char *const *command, const char *const *names,
		      size_t n, uint64_t memory_bytes, struct err *e)
{
	struct words w;
	size_t main = 0;

	if (language_main(l, names, n, &main, e) < 0)
		return NULL;
	w = make_words(names, n, main, NULL, memory_bytes);
	w.entry = w.stem;
	return make_argv(l, command, &w, e);
}

static int check_compiles(const struct language *l, struct err *e)
{
	return l->compile.command ? 0 : err_set(e, "%s has nothing to compile", l->name);
}

char **language_compile_argv_at(const struct language *l, const struct entry *entry,
				uint64_t memory_bytes, struct err *e)
{
	return check_compiles(l, e) < 0 ? NULL
					: argv_at(l, l->compile.command, entry, memory_bytes, e);
}

char **language_run_argv_at(const struct language *l, const struct entry *entry,
			    uint64_t memory_bytes, struct err *e)
{
	return argv_at(l, l->run.command, entry, memory_bytes, e);
}

char **language_compile_argv(const struct language *l, const char *const *names, size_t n,
			     uint64_t memory_bytes, struct err *e)
{
	return check_compiles(l, e) < 0 ? NULL
					: argv_of(l, l->compile.command, names, n, memory_bytes, e);
}

char **language_run_argv(const struct language *l, const char *const *names, size_t n,
			 uint64_t memory_bytes, struct err *e)
{
	return argv_of(l, l->run.command, names, n, memory_bytes, e);
}

void language_argv_free(char **argv)
{
	for (char **p = argv; p && *p; p++)
		free(*p);
	free(argv);
}
