#include "judge/language.h"

#include <dirent.h>
#include <errno.h>

#include "judge/doc.h"
#include "judge/entry.h"
#include "judge/hash.h"
#include "judge/names.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define LANGUAGE_NAME_MAX 32

#define AT(member) .offset = offsetof(struct language, member)

/* The bounds are those of sandboxd: a limit beyond them would make every verdict a JUDGE_ERROR. */
/* clang-format off */
static const struct doc_field prepare_fields[] = {
	{"command", DOC_STRINGS, AT(compile.prepare.command), .least = 1, .required = 1},
	{"source",  DOC_STRING,  AT(compile.prepare.source)},
	{"file",    DOC_STRING,  AT(compile.prepare.file),    .least = 1, .required = 1},
	{"when",    DOC_STRING,  AT(compile.prepare.when),    .least = 1},
	{.key = NULL},
};

static const struct doc_field compile_fields[] = {
	{"command",   DOC_STRINGS,  AT(compile.command),      .least = 1, .required = 1},
	{"policy",    DOC_STRING,   AT(compile.policy),       .least = 1, .required = 1},
	{"env",       DOC_STRINGS,  AT(compile.env)},
	{"time",      DOC_DURATION, AT(compile.time_us),      .least = 1000, .most = 3600000000, .required = 1},
	{"memory",    DOC_SIZE,     AT(compile.memory_bytes), .least = 4 << 20, .most = 1ULL << 40, .required = 1},
	{"processes", DOC_COUNT,    AT(compile.processes),    .least = 1, .most = 32768, .required = 1},
	{"output",    DOC_SIZE,     AT(compile.output_bytes), .least = 1, .most = 4ULL << 30, .required = 1},
	{"box",       DOC_SIZE,     AT(compile.box_bytes),    .least = 4096, .most = 1ULL << 40, .required = 1},
	{"artifacts", DOC_STRINGS,  AT(compile.artifacts),    .least = 1},
	{"cache",     DOC_FLAG,     AT(compile.cache)},
	{"prepare",   DOC_NESTED,   .nested = prepare_fields},
	{.key = NULL},
};

static const struct doc_field run_fields[] = {
	{"command",      DOC_STRINGS,  AT(run.command),     .least = 1, .required = 1},
	{"policy",       DOC_STRING,   AT(run.policy),      .least = 1, .required = 1},
	{"env",          DOC_STRINGS,  AT(run.env)},
	{"processes",    DOC_COUNT,    AT(run.processes),   .least = 1, .most = 32768, .required = 1},
	{"time_factor",  DOC_NUMBER,   AT(run.time_factor)},
	{"time_extra",   DOC_DURATION, AT(run.time_extra_us)},
	{"memory_extra", DOC_SIZE,     AT(run.memory_extra_bytes)},
	{.key = NULL},
};

static const struct doc_field fields[] = {
	{"name",       DOC_STRING,  AT(name),       .least = 1, .most = LANGUAGE_NAME_MAX, .required = 1},
	{"title",      DOC_STRING,  AT(title),      .least = 1, .required = 1},
	{"code",       DOC_STRING,  AT(code),       .least = 1, .most = LANGUAGE_NAME_MAX},
	{"extensions", DOC_STRINGS, AT(extensions), .least = 1, .most = 16, .required = 1},
	{"also",       DOC_STRINGS, AT(also),       .least = 1, .most = 16},
	{"main",       DOC_STRING,  AT(main),       .least = 1},
	{"entry",      DOC_STRING,  AT(entry),      .least = 1},
	{"preferred",  DOC_FLAG,    AT(preferred)},
	{"version",    DOC_STRINGS, AT(version),    .least = 1, .required = 1},
	{"compile",    DOC_NESTED,  .nested = compile_fields},
	{"run",        DOC_NESTED,  .nested = run_fields, .required = 1},
	{.key = NULL},
};
/* clang-format on */

/* One item of a list, checked in a way that the table cannot say; 0 or -1 with the reason. */
typedef int check_item(const char *text, struct err *e);

static int check_extension(const char *text, struct err *e)
{
	if (!text[0] || strlen(text) > 16 ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+") !=
		    strlen(text))
		return err_set(e, "expected letters, digits and '+', without the dot");
	return 0;
}

static int check_env(const char *text, struct err *e)
{
	if (text[0] == '=' || !strchr(text, '='))
		return err_set(e, "expected NAME=value");
	return 0;
}

static int check_artifact(const char *text, struct err *e)
{
	if (!text[0] || text[0] == '/' || strstr(text, ".."))
		return err_set(e, "expected a path inside the box, like program or classes/*");
	return 0;
}

static int check_placeholders(const char *text, struct err *e)
{
	static const char *const known[] = {"{main}", "{stem}", "{entry}", "{memory_mb}"};

	if (strcmp(text, "{files}") == 0)
		return 0;
	for (const char *open = strchr(text, '{'); open; open = strchr(open + 1, '{')) {
		size_t i = 0;

		while (i < ARRAY_LEN(known) && strncmp(open, known[i], strlen(known[i])) != 0)
			i++;
		if (i < ARRAY_LEN(known))
			continue;
		if (strncmp(open, "{files}", 7) == 0)
			return err_set(e, "{files} must be an argument of its own");
		return err_set(
			e, "expected {files}, {main}, {stem}, {entry} or {memory_mb} after '{'");
	}
	return 0;
}

static int check_plain(const char *text, struct err *e)
{
	return strchr(text, '{') ? err_set(e, "takes no placeholders") : 0;
}

static int check_list(const struct doc *d, const struct doc_node *map, const char *key,
		      check_item *check, struct err *e)
{
	const struct doc_node *list = map ? doc_get(map, key) : NULL;
	struct err why;

	if (!list)
		return 0;
	for (const struct doc_node *n = list->first; n; n = n->next)
		if (check(n->text, &why) < 0)
			return doc_fail(d, n->line, e, "%s: %s", key, why.msg);
	return 0;
}

/* A command's placeholders, and that it begins with an absolute path: nothing in a cell searches PATH for it. */
static int check_command(const struct doc *d, const struct doc_node *map, const char *key,
			 check_item *check, struct err *e)
{
	const struct doc_node *list = map ? doc_get(map, key) : NULL;

	if (!list)
		return 0;
	if (list->first->text[0] != '/')
		return doc_fail(d, list->first->line, e, "%s: expected an absolute path first",
				key);
	return check_list(d, map, key, check, e);
}

static int check_name(const struct doc *d, const struct doc_node *name, struct err *e)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyz0123456789+_-";
	const char *base = strrchr(d->file, '/');
	size_t len = strlen(name->text);

	base = base ? base + 1 : d->file;
	if (strspn(name->text, ok) != len)
		return doc_fail(d, name->line, e,
				"name: expected lower-case letters, digits, '+', '_' and '-'");
	if (strncmp(base, name->text, len) != 0 || strcmp(base + len, ".yaml") != 0)
		return doc_fail(d, name->line, e, "name: expected that of the file: \"%.*s\"",
				(int)names_stem_len(base), base);
	return 0;
}

static int check_rule(const struct doc *d, const struct language *l, struct err *e)
{
	const struct doc_node *compile = doc_get(d->root, "compile");
	const struct doc_node *prepare = compile ? doc_get(compile, "prepare") : NULL;
	const struct doc_node *run = doc_get(d->root, "run");
	const struct doc_node *main = doc_get(d->root, "main");
	const struct doc_node *entry = doc_get(d->root, "entry");
	struct err why;

	if (check_name(d, doc_get(d->root, "name"), e) < 0 ||
	    check_list(d, d->root, "extensions", check_extension, e) < 0 ||
	    check_list(d, d->root, "also", check_extension, e) < 0 ||
	    check_command(d, d->root, "version", check_plain, e) < 0 ||
	    check_command(d, compile, "command", check_placeholders, e) < 0 ||
	    check_command(d, prepare, "command", check_plain, e) < 0 ||
	    check_list(d, compile, "env", check_env, e) < 0 ||
	    check_list(d, compile, "artifacts", check_artifact, e) < 0 ||
	    check_command(d, run, "command", check_placeholders, e) < 0 ||
	    check_list(d, run, "env", check_env, e) < 0)
		return -1;
	if (prepare && names_source(l->compile.prepare.file, &why) < 0)
		return doc_fail(d, doc_get(prepare, "file")->line, e, "file: %s", why.msg);
	if (main && names_source(main->text, &why) < 0)
		return doc_fail(d, main->line, e, "main: %s", why.msg);
	if (entry && !entry_known(entry->text))
		return doc_fail(d, entry->line, e, "entry: expected %s", entry_list());
	if (l->run.time_factor <= 0 || l->run.time_factor > 100)
		return doc_fail(d, doc_get(run, "time_factor")->line, e,
				"time_factor: expected more than 0 and at most 100");
	return 0;
}

/* Lists that were not given are empty, except artifacts, where none means all. */
static int fill_lists(struct language *l, struct err *e)
{
	char ***lists[] = {&l->compile.env, &l->run.env};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (!*lists[i])
			*lists[i] = calloc(1, sizeof(char *));
		if (!*lists[i])
			return err_sys(e, "language");
	}
	return 0;
}

int language_parse(const char *file, const char *text, size_t len, struct language *out,
		   struct err *e)
{
	struct doc d;
	int rc;

	*out = (struct language){.compile.cache = 1, .run.time_factor = 1.0};
	if (hash_bytes(text, len, out->hash, e) < 0 || doc_parse(file, text, len, &d, e) < 0)
		return -1;
	rc = doc_read(&d, d.root, fields, out, e);
	if (rc == 0)
		rc = check_rule(&d, out, e);
	if (rc == 0)
		rc = fill_lists(out, e);
	if (rc == 0 && !out->code) {
		out->code = strdup(out->name);
		rc = out->code ? 0 : err_sys(e, "%s", file);
	}
	doc_release(&d);
	return rc;
}

void language_release(struct language *l)
{
	doc_fields_release(fields, l);
	free(l->found);
	free(l->reason);
	*l = (struct language){0};
}

static int is_rule_file(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

static int add_broken(struct languages *all, const char *file, const char *reason, struct err *e)
{
	struct language_broken *grown;

	grown = reallocarray(all->broken, all->nbroken + 1, sizeof(*grown));
	if (!grown)
		return err_sys(e, "%s", file);
	all->broken = grown;
	grown[all->nbroken++] = (struct language_broken){
		.name = strndup(file, strlen(file) - 5),
		.reason = strdup(reason),
	};
	return 0;
}

static int add_rule(struct languages *all, const char *dir, const char *file, struct err *e)
{
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *text = NULL;
	struct language *grown, l = {0};
	struct err why;
	size_t len;

	if (asprintf(&path, "%s/%s", dir, file) < 0) {
		path = NULL;
		return err_sys(e, "%s", file);
	}
	if (io_read_file(path, DOC_BYTES_MAX, &text, &len, &why) < 0 ||
	    language_parse(file, text, len, &l, &why) < 0) {
		language_release(&l);
		return add_broken(all, file, why.msg, e);
	}
	grown = reallocarray(all->items, all->n + 1, sizeof(*grown));
	if (!grown) {
		language_release(&l);
		return err_sys(e, "%s", file);
	}
	all->items = grown;
	grown[all->n++] = l;
	return 0;
}

int languages_load(const char *dir, struct languages *out, struct err *e)
{
	struct dirent **entries = NULL;
	int n, rc = 0;

	*out = (struct languages){0};
	n = scandir(dir, &entries, is_rule_file, alphasort);
	if (n < 0)
		return err_sys(e, "languages: %s", dir);
	for (int i = 0; i < n; i++) {
		if (rc == 0)
			rc = add_rule(out, dir, entries[i]->d_name, e);
		free(entries[i]);
	}
	free(entries);
	if (rc < 0)
		languages_release(out);
	return rc;
}

void languages_release(struct languages *all)
{
	for (size_t i = 0; i < all->n; i++)
		language_release(&all->items[i]);
	for (size_t i = 0; i < all->nbroken; i++) {
		free(all->broken[i].name);
		free(all->broken[i].reason);
	}
	free(all->items);
	free(all->broken);
	*all = (struct languages){0};
}

void language_set_found(struct language *l, const char *text, size_t len)
{
	char shown[128];
	size_t skip = 0, end;

	while (skip < len && strchr(" \t\r\n", text[skip]))
		skip++;
	for (end = skip; end < len && text[end] != '\n' && text[end] != '\r'; end++)
		;
	names_escape(text + skip, end - skip, shown, sizeof(shown));
	free(l->found);
	free(l->reason);
	l->reason = NULL;
	l->found = strdup(shown);
	l->available = l->found != NULL;
}

void language_set_missing(struct language *l, const char *reason)
{
	free(l->found);
	free(l->reason);
	l->found = NULL;
	l->reason = strdup(reason);
	l->available = 0;
}
