#include "judge/entry.h"

#include "judge/compile.h"
#include "judge/entry_scan.h"
#include "judge/language.h"
#include "judge/names.h"
#include "proto/err.h"
#include "proto/scope.h"

/* clang-format off */
static const struct entry_kind {
	const char *name;
	entry_scan *scan;
	int script;       /* a file without an entry begins at its top, and is called by its stem */
	const char *what; /* what to write so that there is one */
} kinds[] = {
	{"java",   entry_scan_java,   0, "a class with public static void main(String[])"},
	{"kotlin", entry_scan_kotlin, 0, "a function main"},
	{"scala",  entry_scan_scala,  0, "an object with a method main, or one that extends App"},
	{"groovy", entry_scan_groovy, 1, ""},
	{"haxe",   entry_scan_haxe,   0, "a class with a static function main"},
	{"erlang", entry_scan_erlang, 0, "-module(NAME) and a function main/0"},
};
/* clang-format on */

static const struct entry_kind *find_kind(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

int entry_known(const char *name)
{
	return find_kind(name) != NULL;
}

const char *entry_list(void)
{
	return "java, kotlin, scala, groovy, haxe or erlang";
}

/* The search of one program. */
struct search {
	const struct language *language;
	const struct entry_kind *kind;
	const struct compile_source *sources;
	size_t n;
	struct entry_found *found; /* of each source */
	int named;                 /* the names of the files tell the main one */
};

static int name_sources(const struct search *s, struct entry *out, struct err *e)
{
	out->names = calloc(s->n + 1, sizeof(char *));
	if (!out->names)
		return err_set(e, "out of memory");
	out->n = s->n;
	for (size_t i = 0; i < s->n; i++) {
		const char *own = s->sources[i].name;
		const char *file = s->found ? s->found[i].file : "";

		if (file[0] ? asprintf(&out->names[i], "%s.%s", file, names_extension(own)) < 0
			    : !(out->names[i] = strdup(own))) {
			out->names[i] = NULL;
			return err_set(e, "out of memory");
		}
		if (names_source(out->names[i], e) < 0)
			return err_wrap(e, "%s", own);
		for (size_t k = 0; k < i; k++)
			if (strcmp(out->names[k], out->names[i]) == 0)
				return err_set(e, "%s and %s both declare what must be in %s",
					       s->sources[k].name, own, out->names[i]);
	}
	return 0;
}

static int scan_sources(struct search *s, struct err *e)
{
	s->found = calloc(s->n + 1, sizeof(*s->found));
	if (!s->found)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < s->n; i++) {
		const struct compile_source *source = &s->sources[i];
		const char *stem = source->name;

		if (source->data && language_has_extension(s->language, source->name))
			s->kind->scan(source->data, source->len, stem, names_stem_len(stem),
				      &s->found[i]);
	}
	return 0;
}

/* The only file with an entry; of several, the one that names say; otherwise *main stays. */
static int choose_main(const struct search *s, size_t *main, struct err *e)
{
	size_t entries = 0, only = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (!s->found[i].name[0])
			continue;
		only = i;
		entries++;
	}
	if (entries == 1)
		*main = only;
	if (entries <= 1 || (s->named && s->found[*main].name[0]))
		return 0;
	return err_set(e, "%zu files have %s, and none of them is called main", entries,
		       s->kind->what);
}

static int name_entry(const struct search *s, struct entry *out, struct err *e)
{
	const char *found = s->found ? s->found[out->main].name : "";
	const struct compile_source *source = &s->sources[out->main];

	if (found[0]) {
		snprintf(out->name, sizeof(out->name), "%s", found);
		return 0;
	}
	if (s->kind && !s->kind->script && source->data)
		return err_set(e, "%s: nowhere to begin: expected %s", source->name, s->kind->what);
	snprintf(out->name, sizeof(out->name), "%.*s", (int)names_stem_len(source->name),
		 source->name);
	return 0;
}

/* The one that the names tell, or else any with the extension. */
static int main_by_name(struct search *s, size_t *main, struct err *e)
{
	const char **names = calloc(s->n + 1, sizeof(*names));
	struct language strict = *s->language;
	struct err why;
	int rc;

	if (!names)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < s->n; i++)
		names[i] = s->sources[i].name;
	strict.entry = NULL;
	s->named = language_main(&strict, names, s->n, main, &why) == 0;
	rc = s->named ? 0 : language_main(s->language, names, s->n, main, e);
	free(names);
	return rc;
}

static int find(struct search *s, struct entry *out, struct err *e)
{
	if (main_by_name(s, &out->main, e) < 0)
		return -1;
	if (s->kind && (scan_sources(s, e) < 0 || choose_main(s, &out->main, e) < 0))
		return -1;
	return name_entry(s, out, e) < 0 ? -1 : name_sources(s, out, e);
}

int entry_find(const struct language *l, const struct compile_source *sources, size_t n,
	       struct entry *out, struct err *e)
{
	struct search s = {l, find_kind(l->entry), sources, n, NULL, 0};
	int rc;

	*out = (struct entry){.n = 0};
	rc = find(&s, out, e);
	free(s.found);
	if (rc < 0)
		entry_release(out);
	return rc;
}

void entry_release(struct entry *entry)
{
	for (size_t i = 0; i < entry->n; i++)
		free(entry->names[i]);
	free(entry->names);
	*entry = (struct entry){.n = 0};
}
