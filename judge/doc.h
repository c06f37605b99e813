/*
 * doc.h - YAML read strictly: a small tree that remembers lines, and tables that say what may be in it.
 *
 * Rules, configuration and problem packages are all read through this.  Packages are hostile, so only the plain part of YAML is
 * taken: one document of maps, lists and scalars.  Anchors, aliases and tags are refused (no "billion laughs"), so are
 * keys given twice, control characters, a byte-order mark, too much depth, too many nodes.
 *
 * A table of struct doc_field says which keys a map may have and where their values go.  Anything else in the map is an error.
 * All errors read "FILE:LINE: what is wrong, what is expected".
 */
#ifndef DOC_H
#define DOC_H

#include <stddef.h>
#include <stdint.h>

struct err;

#define DOC_BYTES_MAX 262144
#define DOC_DEPTH_MAX 16
#define DOC_NODES_MAX 4096

enum doc_kind { DOC_SCALAR, DOC_LIST, DOC_MAP };

struct doc_node { /* owned by its struct doc */
	enum doc_kind kind;
	unsigned line;
	int quoted;             /* a scalar in quotes or a block scalar */
	unsigned key_line;      /* of a map's value: where its key is */
	char *key;              /* of a map's value */
	char *text;             /* of a scalar, no NUL inside */
	struct doc_node *first; /* of a list or a map: values in order */
	struct doc_node *next;
};

struct doc {
	const char *file; /* for messages; borrowed */
	struct doc_node *root;
};

/* Types of values, and what a table's offset points to. */
enum doc_type {
	DOC_STRING,   /* char *: owned */
	DOC_STRINGS,  /* char **: owned, NULL-terminated */
	DOC_FLAG,     /* int: true or false */
	DOC_COUNT,    /* uint32_t: whole number */
	DOC_SIZE,     /* uint64_t: bytes, "64K" "512M" "1G" */
	DOC_DURATION, /* uint64_t: microseconds, "500ms" "30s" "2m" */
	DOC_NUMBER,   /* double: decimal, not negative */
	DOC_AMOUNT,   /* uint64_t: decimal number times `scale`, must come out whole */
	DOC_NESTED,   /* a map with the fields of `nested`, offsets from the same object */
	DOC_ANY,      /* checked only to be there, not kept */
	DOC_REFUSED,  /* "not supported yet", unless empty */
};

struct doc_field { /* a table ends with a row without key */
	const char *key;
	enum doc_type type;
	size_t offset;
	uint64_t least,
		most; /* of the value, of a string's length or a list's items; most 0: no bound */
	uint64_t scale;
	const struct doc_field *nested;
	int required;
	const char *help; /* one line, for people */
};

/* text is borrowed for the call.  NULL is never left in d->root after 0.  -1: *d holds nothing. */
int doc_parse(const char *file, const char *text, size_t len, struct doc *d, struct err *e);
void doc_release(struct doc *d);

/*
 * Fills *out from a map by a table.  What is absent is left as it was; strings and lists that were there are freed when they
 * are replaced.  After -1 some fields may be filled.
 */
int doc_read(const struct doc *d, const struct doc_node *map, const struct doc_field *fields,
	     void *out, struct err *e);

/* One value from text, as it would be read from a scalar in the file; a DOC_STRINGS gets the text added. */
int doc_set(const struct doc_field *field, const char *text, void *out, struct err *e);

/* Frees and clears the strings and lists that the table points to. */
void doc_fields_release(const struct doc_field *fields, void *out);

/* The value of a key; NULL if there is none. */
const struct doc_node *doc_get(const struct doc_node *map, const char *key);

/* "FILE:LINE: ..." -> -1 */
int doc_fail(const struct doc *d, unsigned line, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The key of the table that was probably meant, NULL when none is near. */
const char *doc_nearest(const struct doc_field *fields, const char *key);

#endif
