#include "judge/doc.h"

#include <stdarg.h>
#include <yaml.h>

#include "judge/names.h"
#include "proto/err.h"
#include "proto/scope.h"

/* While the tree is built: the open maps and lists, outermost first. */
struct builder {
	struct doc *d;
	struct doc_node *open[DOC_DEPTH_MAX];
	struct doc_node *last[DOC_DEPTH_MAX]; /* of open[i]: its newest child */
	size_t depth, nodes;
	char *key; /* read, its value not yet; owned */
	unsigned key_line;
};

int doc_fail(const struct doc *d, unsigned line, struct err *e, const char *fmt, ...)
{
	char msg[sizeof(e->msg)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	return err_set(e, "%s:%u: %s", d->file, line, msg);
}

/* Without recursion: a node's children are put in front of what is still to be freed. */
static void node_free(struct doc_node *n)
{
	while (n) {
		struct doc_node *next = n->next;
		struct doc_node *last = n->first;

		while (last && last->next)
			last = last->next;
		if (last) {
			last->next = next;
			next = n->first;
		}
		free(n->key);
		free(n->text);
		free(n);
		n = next;
	}
}

void doc_release(struct doc *d)
{
	node_free(d->root);
	d->root = NULL;
}

const struct doc_node *doc_get(const struct doc_node *map, const char *key)
{
	for (const struct doc_node *n = map->first; n; n = n->next)
		if (n->key && strcmp(n->key, key) == 0)
			return n;
	return NULL;
}

/* Escapes can write what a plain file cannot hold: characters that steer a terminal (C0, DEL, C1), and NUL. */
static int has_control(const unsigned char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((text[i] < 0x20 && text[i] != '\n' && text[i] != '\t') || text[i] == 0x7f)
			return 1;
		if (text[i] == 0xc2 && i + 1 < len && text[i + 1] >= 0x80 && text[i + 1] < 0xa0)
			return 1;
	}
	return 0;
}

/* A scalar's bytes as a C string, owned by the caller. */
static char *copy_text(const struct builder *b, const yaml_event_t *ev, unsigned line,
		       struct err *e)
{
	const char *text = (const char *)ev->data.scalar.value;
	char *copy = NULL;

	if (has_control(ev->data.scalar.value, ev->data.scalar.length)) {
		doc_fail(b->d, line, e, "contains a control character");
		return NULL;
	}
	copy = strdup(text);
	if (!copy)
		err_sys(e, "%s", b->d->file);
	return copy;
}

/* Puts a new node where the parser is: as the root, or under the innermost open map or list. */
static struct doc_node *add_node(struct builder *b, enum doc_kind kind, unsigned line,
				 struct err *e)
{
	struct doc_node *up = b->depth ? b->open[b->depth - 1] : NULL;
	struct doc_node *n;

	if (++b->nodes > DOC_NODES_MAX) {
		doc_fail(b->d, line, e, "more than %d values", DOC_NODES_MAX);
		return NULL;
	}
	n = calloc(1, sizeof(*n));
	if (!n) {
		err_sys(e, "%s", b->d->file);
		return NULL;
	}
	n->kind = kind;
	n->line = line;
	n->key_line = b->key ? b->key_line : line;
	n->key = ptr_steal(&b->key);
	if (!up)
		b->d->root = n;
	else if (!up->first)
		up->first = n;
	else
		b->last[b->depth - 1]->next = n;
	if (up)
		b->last[b->depth - 1] = n;
	return n;
}

static int expects_key(const struct builder *b)
{
	const struct doc_node *up = b->depth ? b->open[b->depth - 1] : NULL;

	return up && up->kind == DOC_MAP && !b->key;
}

static int on_scalar(struct builder *b, const yaml_event_t *ev, unsigned line, struct err *e)
{
	struct doc_node *n;
	char shown[64];

	if (ev->data.scalar.anchor || ev->data.scalar.tag)
		return doc_fail(b->d, line, e, "anchors and tags are not allowed");
	if (!expects_key(b)) {
		n = add_node(b, DOC_SCALAR, line, e);
		if (!n)
			return -1;
		n->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
		n->text = copy_text(b, ev, line, e);
		return n->text ? 0 : -1;
	}
	b->key = copy_text(b, ev, line, e);
	if (!b->key)
		return -1;
	b->key_line = line;
	if (doc_get(b->open[b->depth - 1], b->key)) {
		names_escape(b->key, strlen(b->key), shown, sizeof(shown));
		return doc_fail(b->d, line, e, "key \"%s\" is given twice", shown);
	}
	return 0;
}

static int on_open(struct builder *b, enum doc_kind kind, int marked, unsigned line, struct err *e)
{
	struct doc_node *n;

	if (marked)
		return doc_fail(b->d, line, e, "anchors and tags are not allowed");
	if (expects_key(b))
		return doc_fail(b->d, line, e, "a key must be a plain word");
	if (b->depth == DOC_DEPTH_MAX)
		return doc_fail(b->d, line, e, "nested more than %d deep", DOC_DEPTH_MAX);
	n = add_node(b, kind, line, e);
	if (!n)
		return -1;
	b->open[b->depth++] = n;
	return 0;
}

static int on_event(struct builder *b, const yaml_event_t *ev, struct err *e)
{
	unsigned line = (unsigned)ev->start_mark.line + 1;

	switch (ev->type) {
	case YAML_ALIAS_EVENT:
		return doc_fail(b->d, line, e, "aliases are not allowed");
	case YAML_SCALAR_EVENT:
		return on_scalar(b, ev, line, e);
	case YAML_MAPPING_START_EVENT:
		return on_open(b, DOC_MAP,
			       ev->data.mapping_start.anchor || ev->data.mapping_start.tag, line,
			       e);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(b, DOC_LIST,
			       ev->data.sequence_start.anchor || ev->data.sequence_start.tag, line,
			       e);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		b->depth--;
		return 0;
	case YAML_DOCUMENT_START_EVENT:
		if (b->d->root)
			return doc_fail(b->d, line, e,
					"a second document begins, only one is allowed");
		return 0;
	default:
		return 0;
	}
}

static int run_parser(struct builder *b, yaml_parser_t *parser, struct err *e)
{
	yaml_event_t ev;
	int done, rc;

	do {
		if (!yaml_parser_parse(parser, &ev))
			return doc_fail(b->d, (unsigned)parser->problem_mark.line + 1, e,
					"not valid YAML: %s",
					parser->problem ? parser->problem : "out of memory");
		rc = on_event(b, &ev, e);
		done = ev.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&ev);
	} while (rc == 0 && !done);
	return rc;
}

int doc_parse(const char *file, const char *text, size_t len, struct doc *d, struct err *e)
{
	struct builder b = {.d = d};
	yaml_parser_t parser;
	int rc;

	*d = (struct doc){.file = file};
	if (len > DOC_BYTES_MAX)
		return err_set(e, "%s: larger than %d KiB", file, DOC_BYTES_MAX / 1024);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		return err_set(e, "%s:1: begins with a byte-order mark: save it as UTF-8 without",
			       file);
	if (!yaml_parser_initialize(&parser))
		return err_set(e, "%s: out of memory", file);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	rc = run_parser(&b, &parser, e);
	yaml_parser_delete(&parser);
	free(b.key);
	if (rc == 0 && !d->root)
		rc = err_set(e, "%s:1: empty, expected a map of keys and values", file);
	if (rc < 0)
		doc_release(d);
	return rc;
}
