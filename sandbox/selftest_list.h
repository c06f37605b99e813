/*
 * selftest_list.h - the attacks as they describe themselves.
 *
 * The file "list" of their folder has a line for each: "GROUP/FILE KEY=VALUE... why=TEXT", made of the first line of the source;
 * tests/attack/README.md says what the keys mean.  An attack with several cases (`each`) is here once for each of them.  The file
 * "layers" says what each layer does: "NAME | ... | text"; it may be missing.
 */
#ifndef SELFTEST_LIST_H
#define SELFTEST_LIST_H

#include <stddef.h>

struct err;

struct attack {
	char *name;         /* "escape/forbidden", or "escape/forbidden:bpf" */
	char *program;      /* file in the folder */
	char *keys;         /* " KEY=VALUE ...", words of `each` filled in */
	const char *word;   /* of each, or NULL */
	const char *layers; /* what stops it */
	const char *why;
	size_t group_len; /* the name begins with it */
	char *text;       /* what the last three point into */
};

struct attack_list {
	struct attack *at;
	size_t n;
	char *layers; /* the text of that file, or NULL */
};

/* Reads FOLDER/list; *l is zeroed by the caller, and released by it on failure too. */
int attack_list_read(struct attack_list *l, const char *folder, struct err *e);
void attack_list_release(struct attack_list *l);

/* The value of a key, or `otherwise`; in one of eight static buffers. */
const char *attack_key(const struct attack *a, const char *key, const char *otherwise);

/* Whether the name is that of its group, of its file with or without the group or the case, or of a layer that stops it. */
int attack_is_called(const struct attack *a, const char *name);

/* Whether that layer is named among those that stop it. */
int attack_has_layer(const struct attack *a, const char *layer, size_t len);

/* What a layer does, up to the end of the line; "" if nobody says. */
const char *attack_layer_text(const struct attack_list *l, const char *layer, size_t len);

/* Whether an interpreter is needed to run it. */
int attack_is_python(const struct attack *a);

#endif
