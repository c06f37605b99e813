#include "judge/entry_scan.h"

#include <ctype.h>

#include "proto/scope.h"

#define WORD_MAX    80  /* of a name; a longer one is none that is looked for */
#define PACKAGE_MAX 110 /* with the dot behind it; a longer one is cut, and so not found */

/* What is left of a text when comments and blanks are gone. */
struct lexer {
	const char *p, *end;
	char comment; /* to the end of a line: '/' means two of them */
};

enum { TOKEN_END = 0, TOKEN_WORD = 'w', TOKEN_TEXT = '"' }; /* any other is that character */

struct token {
	int kind;
	char word[WORD_MAX + 1]; /* of a word or a text; "" if it is longer */
};

static int looking_at(const struct lexer *l, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(l->end - l->p) >= len && memcmp(l->p, text, len) == 0;
}

/* Behind the next of text, or at the end. */
static void skip_past(struct lexer *l, const char *text)
{
	const char *at = memmem(l->p, (size_t)(l->end - l->p), text, strlen(text));

	l->p = at ? at + strlen(text) : l->end;
}

/* 1 if there was a blank or a comment. */
static int skip_blank(struct lexer *l)
{
	if (l->p < l->end && isspace((unsigned char)*l->p)) {
		l->p++;
		return 1;
	}
	if (l->comment == '/' ? looking_at(l, "//") : l->p < l->end && *l->p == l->comment) {
		skip_past(l, "\n");
		return 1;
	}
	if (l->comment == '/' && looking_at(l, "/*")) {
		l->p += 2;
		skip_past(l, "*/");
		return 1;
	}
	return 0;
}

static int is_letter(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$';
}

static void keep(struct token *t, const char *text, size_t len)
{
	if (len > WORD_MAX)
		len = 0;
	memcpy(t->word, text, len);
	t->word[len] = '\0';
}

/* In one line, or between three quotes. */
static void take_text(struct lexer *l, struct token *t)
{
	char quote = *l->p;
	const char *start;

	t->kind = TOKEN_TEXT;
	t->word[0] = '\0';
	if (looking_at(l, "\"\"\"") || looking_at(l, "'''")) {
		const char three[] = {quote, quote, quote, '\0'};

		l->p += 3;
		skip_past(l, three);
		return;
	}
	for (start = ++l->p; l->p < l->end && *l->p != quote && *l->p != '\n'; l->p++)
		if (*l->p == '\\' && l->p + 1 < l->end)
			l->p++;
	keep(t, start, (size_t)(l->p - start));
	if (l->p < l->end)
		l->p++;
}

/* Not every apostrophe has another one: Scala writes symbols 'so. */
static int is_text(const struct lexer *l)
{
	const char *line = memchr(l->p, '\n', (size_t)(l->end - l->p));
	size_t rest = (size_t)((line ? line : l->end) - l->p);

	return *l->p == '"' || (*l->p == '\'' && rest > 1 && memchr(l->p + 1, '\'', rest - 1));
}

static void next(struct lexer *l, struct token *t)
{
	while (skip_blank(l))
		;
	t->word[0] = '\0';
	if (l->p == l->end) {
		t->kind = TOKEN_END;
	} else if (is_letter(*l->p)) {
		const char *start = l->p;

		while (l->p < l->end && is_letter(*l->p))
			l->p++;
		t->kind = TOKEN_WORD;
		keep(t, start, (size_t)(l->p - start));
	} else if (is_text(l)) {
		take_text(l, t);
	} else {
		/* a byte that could be taken for a kind is none that matters here */
		t->kind = *l->p == TOKEN_TEXT || *l->p < ' ' ? '?' : *l->p;
		l->p++;
	}
}

static int is_word(const struct token *t, const char *word)
{
	return t->kind == TOKEN_WORD && strcmp(t->word, word) == 0;
}

static int is_one_of(const struct token *t, const char *const *words)
{
	for (; *words; words++)
		if (is_word(t, *words))
			return 1;
	return 0;
}

/* --- languages with packages, types in braces, and something called main */

struct syntax {
	const char *const *types; /* words that a type's name follows */
	const char *before_main;  /* must stand right before main; NULL: any */
	int static_main;          /* the word static must stand somewhere before it */
	int only_objects;         /* the type must be an object */
	int outside;              /* main may stand outside of types */
	const char *parent;       /* a type that has this one is a program too; NULL: none */
};

struct walk {
	const struct syntax *syntax;
	struct lexer lexer;
	struct token token, before;
	char package[PACKAGE_MAX + 1], facade[WORD_MAX + 1];
	char type[WORD_MAX + 1]; /* the outermost one that is open or just named; "": none */
	int depth, object, public_type, is_static, is_public;
	/* what was found */
	char chosen[WORD_MAX + 1], public_name[WORD_MAX + 1];
	int chosen_public, outside;
};

static void step(struct walk *w)
{
	w->before = w->token;
	next(&w->lexer, &w->token);
}

/* a.b.c behind the word package. */
static void take_package(struct walk *w)
{
	size_t used = strlen(w->package);

	step(w);
	while (w->token.kind == TOKEN_WORD || w->token.kind == '.') {
		const char *part = w->token.kind == '.' ? "." : w->token.word;

		/* a language without semicolons: two words are a name and what comes next */
		if (w->token.kind == TOKEN_WORD && w->before.kind == TOKEN_WORD &&
		    !is_word(&w->before, "package"))
			break;
		if (used + strlen(part) < sizeof(w->package))
			memcpy(w->package + used, part, strlen(part) + 1);
		used = strlen(w->package);
		step(w);
	}
	if (used > 0 && used + 1 < sizeof(w->package))
		memcpy(w->package + used, ".", 2);
}

/* A public one before any other, else the first, unless there is one called like the file. */
static void choose(struct walk *w, const char *name, int is_public, const char *stem, size_t len)
{
	int like_file = strlen(name) == len && memcmp(name, stem, len) == 0;

	if (w->chosen[0] && (w->chosen_public || (!is_public && !like_file)))
		return;
	memcpy(w->chosen, name, strlen(name) + 1);
	w->chosen_public = is_public;
}

static void take_type(struct walk *w)
{
	w->object = is_word(&w->token, "object");
	w->public_type = w->is_public;
	step(w);
	if (w->token.kind != TOKEN_WORD)
		return;
	memcpy(w->type, w->token.word, sizeof(w->type));
	if (w->is_public)
		memcpy(w->public_name, w->type, sizeof(w->type));
	w->is_public = 0;
}

/* At the word main: is it a program's? */
static int is_main(struct walk *w)
{
	const struct syntax *s = w->syntax;
	struct lexer ahead = w->lexer;
	struct token t;

	if (s->before_main && !is_word(&w->before, s->before_main))
		return 0;
	next(&ahead, &t);
	if (t.kind != '(')
		return 0;
	if (w->depth == 0)
		return s->outside;
	return w->type[0] && (!s->static_main || w->is_static) && (!s->only_objects || w->object);
}

/* A type's body ends, or begins; so do members. */
static void take_mark(struct walk *w)
{
	if (w->token.kind == '{')
		w->depth++;
	if (w->token.kind == '}' && w->depth > 0 && --w->depth == 0)
		w->type[0] = '\0';
	if (strchr("{};", w->token.kind))
		w->is_static = w->is_public = 0;
}

static void take_word(struct walk *w, const char *stem, size_t len)
{
	static const char *const statics[] = {"static", "JvmStatic", NULL};

	w->is_static |= is_one_of(&w->token, statics);
	w->is_public |= w->depth == 0 && is_word(&w->token, "public");
	if (w->depth == 0 && is_word(&w->token, "package"))
		take_package(w);
	if (w->depth == 0 && is_word(&w->token, "JvmName") && w->before.kind == ':') {
		step(w);
		step(w);
		if (w->token.kind == TOKEN_TEXT)
			memcpy(w->facade, w->token.word, sizeof(w->facade));
	}
	if (w->depth == 0 && is_one_of(&w->token, w->syntax->types))
		take_type(w);
	if (w->depth == 0 && w->syntax->parent && is_word(&w->token, w->syntax->parent) &&
	    w->type[0] && w->object)
		choose(w, w->type, 0, stem, len);
	if (!is_word(&w->token, "main") || !is_main(w))
		return;
	if (w->depth == 0)
		w->outside = 1;
	else
		choose(w, w->type, w->public_type, stem, len);
}

static void walk(struct walk *w, const char *text, size_t len, const char *stem, size_t stem_len)
{
	w->lexer = (struct lexer){text, text + len, '/'};
	for (step(w); w->token.kind != TOKEN_END; step(w)) {
		if (w->token.kind == TOKEN_WORD)
			take_word(w, stem, stem_len);
		take_mark(w);
	}
}

static void found(const struct walk *w, const char *name, struct entry_found *out)
{
	if (name[0])
		snprintf(out->name, sizeof(out->name), "%s%s", w->package, name);
}

void entry_scan_java(const char *text, size_t len, const char *stem, size_t stem_len,
		     struct entry_found *out)
{
	static const char *const types[] = {"class", "interface", "enum", "record", NULL};
	static const struct syntax java = {.types = types, .before_main = "void", .static_main = 1};
	struct walk w = {.syntax = &java};

	walk(&w, text, len, stem, stem_len);
	found(&w, w.chosen, out);
	snprintf(out->file, sizeof(out->file), "%s", w.public_name);
}

/* What is outside of classes is in one called like the file: sum-1.kt is Sum_1Kt. */
static void facade_of(const char *stem, size_t len, char *out, size_t size)
{
	int digit = len > 0 && isdigit((unsigned char)stem[0]);
	size_t n = (size_t)snprintf(out, size, "%s%.*sKt", digit ? "_" : "",
				    (int)(len < WORD_MAX - 3 ? len : WORD_MAX - 3), stem);

	for (size_t i = 0; i < n; i++)
		if (!is_letter(out[i]))
			out[i] = '_';
	out[0] = (char)toupper((unsigned char)out[0]);
}

void entry_scan_kotlin(const char *text, size_t len, const char *stem, size_t stem_len,
		       struct entry_found *out)
{
	static const char *const types[] = {"class", "interface", "object", NULL};
	static const struct syntax kotlin = {
		.types = types, .before_main = "fun", .static_main = 1, .outside = 1};
	struct walk w = {.syntax = &kotlin};
	char facade[WORD_MAX + 1];

	walk(&w, text, len, stem, stem_len);
	facade_of(stem, stem_len, facade, sizeof(facade));
	if (w.outside)
		found(&w, w.facade[0] ? w.facade : facade, out);
	else
		found(&w, w.chosen, out);
}

void entry_scan_scala(const char *text, size_t len, const char *stem, size_t stem_len,
		      struct entry_found *out)
{
	static const char *const types[] = {"class", "trait", "object", NULL};
	static const struct syntax scala = {
		.types = types, .before_main = "def", .only_objects = 1, .parent = "App"};
	struct walk w = {.syntax = &scala};

	walk(&w, text, len, stem, stem_len);
	found(&w, w.chosen, out);
}

void entry_scan_groovy(const char *text, size_t len, const char *stem, size_t stem_len,
		       struct entry_found *out)
{
	static const char *const types[] = {"class", NULL};
	static const struct syntax groovy = {.types = types, .static_main = 1};
	struct walk w = {.syntax = &groovy};

	walk(&w, text, len, stem, stem_len);
	found(&w, w.chosen, out);
}

/* The compiler looks for a type in the file of its name, the main one too. */
void entry_scan_haxe(const char *text, size_t len, const char *stem, size_t stem_len,
		     struct entry_found *out)
{
	static const char *const types[] = {"class", NULL};
	static const struct syntax haxe = {
		.types = types, .before_main = "function", .static_main = 1};
	struct walk w = {.syntax = &haxe};

	walk(&w, text, len, stem, stem_len);
	found(&w, w.chosen, out);
	snprintf(out->file, sizeof(out->file), "%s", w.chosen);
}

/* --- Erlang: -module(name). */

void entry_scan_erlang(const char *text, size_t len, const char *stem, size_t stem_len,
		       struct entry_found *out)
{
	struct lexer l = {text, text + len, '%'};
	struct token before, t = {.kind = TOKEN_END};
	char module[WORD_MAX + 1] = "";
	int has_main = 0;

	(void)stem;
	(void)stem_len;
	do {
		before = t;
		next(&l, &t);
		if (is_word(&t, "module") && before.kind == '-' && !module[0]) {
			next(&l, &t);
			next(&l, &t);
			memcpy(module, t.word, sizeof(module));
		}
		has_main |= is_word(&t, "main");
	} while (t.kind != TOKEN_END);
	snprintf(out->file, sizeof(out->file), "%s", module);
	if (has_main)
		snprintf(out->name, sizeof(out->name), "%s", module);
}
