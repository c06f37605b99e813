#include "sandbox/selftest_list.h"

#include <errno.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define LIST_MAX (1 << 20)

void attack_list_release(struct attack_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->at[i].name);
		free(l->at[i].program);
		free(l->at[i].keys);
		free(l->at[i].text);
	}
	free(l->at);
	free(l->layers);
	*l = (struct attack_list){0};
}

const char *attack_key(const struct attack *a, const char *key, const char *otherwise)
{
	static char values[8][512];
	static unsigned next;
	char *value = values[next++ % ARRAY_LEN(values)];
	char wanted[32];
	const char *found;

	snprintf(wanted, sizeof(wanted), " %s=", key);
	found = strstr(a->keys, wanted);
	if (!found)
		return otherwise;
	found += strlen(wanted);
	snprintf(value, sizeof(values[0]), "%.*s", (int)strcspn(found, " "), found);
	return value;
}

int attack_has_layer(const struct attack *a, const char *layer, size_t len)
{
	for (const char *p = a->layers; *p; p += strcspn(p, ",+"), p += *p != '\0')
		if (strcspn(p, ",+") == len && strncmp(p, layer, len) == 0)
			return 1;
	return 0;
}

const char *attack_layer_text(const struct attack_list *l, const char *layer, size_t len)
{
	for (const char *line = l->layers; line && *line;
	     line += strcspn(line, "\n"), line += *line != '\0') {
		const char *bar = line;

		if (strncmp(line, layer, len) != 0 || line[len + strspn(line + len, " ")] != '|')
			continue;
		for (int i = 0; i < 2 && bar; i++)
			bar = strpbrk(bar + (i > 0), "|\n");
		if (bar && *bar == '|')
			return bar + 1 + strspn(bar + 1, " ");
	}
	return "";
}

int attack_is_called(const struct attack *a, const char *name)
{
	const char *file = a->name + a->group_len + 1;
	size_t stem = strcspn(file, ":");
	size_t len = strlen(name);

	if (strcmp(name, a->name) == 0 || strcmp(name, file) == 0)
		return 1;
	if (len == stem && strncmp(name, file, len) == 0)
		return 1;
	if (len == a->group_len + 1 + stem && strncmp(name, a->name, len) == 0)
		return 1;
	return (len == a->group_len && strncmp(name, a->name, len) == 0) ||
	       attack_has_layer(a, name, len);
}

int attack_is_python(const struct attack *a)
{
	const char *ending = strrchr(a->program, '.');

	return ending && strcmp(ending, ".py") == 0;
}

/* A copy in which every "{}" is the word. */
static char *filled_in(const char *text, const char *word)
{
	size_t size = strlen(text) + 1;
	char *out;
	size_t n = 0;

	for (const char *p = strstr(text, "{}"); p; p = strstr(p + 2, "{}"))
		size += strlen(word);
	out = calloc(1, size);
	while (out && *text) {
		if (strncmp(text, "{}", 2) != 0) {
			out[n++] = *text++;
			continue;
		}
		/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): calloc has seen to it */
		memcpy(out + n, word, strlen(word));
		n += strlen(word);
		text += 2;
	}
	return out;
}

/* "GROUP/FILE" and the rest of the line, which this owns. */
static int add_case(struct attack_list *l, const char *file, const char *keys, const char *why,
		    const char *word, struct err *e)
{
	struct attack *more = realloc(l->at, (l->n + 1) * sizeof(*more));
	size_t stem = (size_t)(strrchr(file, '.') - file);
	int python = strcmp(file + stem, ".py") == 0;
	struct attack *a;
	char *end;

	if (!more)
		return err_set(e, "out of memory");
	l->at = more;
	a = &l->at[l->n++];
	*a = (struct attack){.group_len = strcspn(file, "/")};
	a->keys = filled_in(keys, word);
	if (asprintf(&a->name, "%.*s%s%s", (int)stem, file, *word ? ":" : "", word) < 0)
		a->name = NULL;
	if (asprintf(&a->program, "%.*s%s", (int)(stem - a->group_len - 1), file + a->group_len + 1,
		     python ? ".py" : "") < 0)
		a->program = NULL;
	if (asprintf(&a->text, "%s\n%s\n%s", word, attack_key(a, "layer", ""), why) < 0)
		a->text = NULL;
	if (!a->keys || !a->name || !a->program || !a->text)
		return err_set(e, "out of memory");
	end = strchr(a->text, '\n');
	*end = '\0';
	a->word = *word ? a->text : NULL;
	a->layers = end + 1;
	end = strchr(end + 1, '\n');
	*end = '\0';
	a->why = end + 1;
	return 0;
}

static int add_line(struct attack_list *l, char *line, struct err *e)
{
	char *keys = strchr(line, ' ');
	char *why = keys ? strstr(keys, " why=") : NULL;
	char *each = keys ? strstr(keys, " each=") : NULL;
	AUTO_FREE char *words = NULL;
	char *rest;

	if (!why || !strstr(keys, " expect=") || !strstr(keys, " layer="))
		return err_set(e, "expected 'GROUP/FILE expect=... layer=... why=...': %.80s",
			       line);
	*why = '\0';
	words = each && each < why ? strndup(each + 6, strcspn(each + 6, " ")) : strdup("");
	/* The space before the first key belongs to the keys; the name ends there. */
	AUTO_FREE char *file = strndup(line, (size_t)(keys - line));

	if (!words || !file)
		return err_set(e, "out of memory");
	if (!strchr(file, '/') || !strchr(strchr(file, '/'), '.'))
		return err_set(e, "expected GROUP/FILE: %.80s", file);
	rest = words;
	for (char *word; (word = strsep(&rest, ","));)
		if (add_case(l, file, keys, why + strlen(" why="), word, e) < 0)
			return -1;
	return 0;
}

static int read_layers(struct attack_list *l, const char *folder, struct err *e)
{
	AUTO_FREE char *path = NULL;
	size_t len;

	if (asprintf(&path, "%s/layers", folder) < 0)
		return err_set(e, "out of memory");
	if (io_read_file(path, LIST_MAX, &l->layers, &len, e) == 0)
		return 0;
	l->layers = NULL;
	return e->num == ENOENT ? 0 : -1;
}

int attack_list_read(struct attack_list *l, const char *folder, struct err *e)
{
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *text = NULL;
	size_t len;
	char *rest;

	if (asprintf(&path, "%s/list", folder) < 0)
		return err_set(e, "out of memory");
	if (read_layers(l, folder, e) < 0 || io_read_file(path, LIST_MAX, &text, &len, e) < 0)
		return -1;
	rest = text;
	for (char *line; (line = strsep(&rest, "\n"));)
		if (*line && add_line(l, line, e) < 0)
			return err_wrap(e, "%s", path);
	return l->n > 0 ? 0 : err_set(e, "%s: no attack", path);
}
