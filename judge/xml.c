#include "judge/xml.h"

#include <expat.h>
#include <stdarg.h>

#include "proto/err.h"
#include "proto/scope.h"

struct reading {
	struct xml *x;
	XML_Parser parser;
	struct xml_node *at; /* the element that is open */
	size_t text_room;    /* of at->text */
	unsigned depth, nodes;
	const char *refused; /* why it was stopped */
};

static void stop(struct reading *r, const char *why)
{
	if (!r->refused)
		r->refused = why;
	(void)XML_StopParser(r->parser, XML_FALSE);
}

static unsigned line_of(const struct reading *r)
{
	return (unsigned)XML_GetCurrentLineNumber(r->parser);
}

static char **copy_words(const char **words)
{
	size_t n = 0;
	char **out;

	while (words[n])
		n++;
	out = calloc(n + 1, sizeof(*out));
	for (size_t i = 0; out && i < n; i++) {
		out[i] = strdup(words[i]);
		if (out[i])
			continue;
		while (i > 0)
			free(out[--i]);
		free(out);
		return NULL;
	}
	return out;
}

static void node_free(struct xml_node *n)
{
	for (char **a = n->attributes; a && *a; a++)
		free(*a);
	free(n->attributes);
	free(n->name);
	free(n->text);
	free(n);
}

static struct xml_node *node_new(struct reading *r, const char *name, const char **attributes)
{
	struct xml_node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->line = line_of(r);
	n->name = strdup(name);
	n->text = strdup("");
	n->attributes = copy_words(attributes);
	if (n->name && n->text && n->attributes)
		return n;
	node_free(n);
	return NULL;
}

static void append(struct reading *r, struct xml_node *n)
{
	n->parent = r->at;
	if (!r->at)
		r->x->root = n;
	else if (r->at->last)
		r->at->last->next = n;
	else
		r->at->first = n;
	if (r->at)
		r->at->last = n;
	r->at = n;
	r->text_room = 0;
}

static void XMLCALL on_start(void *arg, const char *name, const char **attributes)
{
	struct reading *r = arg;
	struct xml_node *n;

	if (r->refused)
		return;
	if (++r->depth > XML_DEPTH_MAX)
		stop(r, "elements are nested too deep");
	else if (++r->nodes > XML_NODES_MAX)
		stop(r, "too many elements");
	else if (!(n = node_new(r, name, attributes)))
		stop(r, "out of memory");
	else
		append(r, n);
}

static void XMLCALL on_end(void *arg, const char *name)
{
	struct reading *r = arg;

	(void)name;
	if (r->refused)
		return;
	r->depth--;
	r->at = r->at->parent;
	r->text_room = 0;
}

/* Only elements without others in them keep their text: what stands between elements is white space. */
static void XMLCALL on_text(void *arg, const char *text, int len)
{
	struct reading *r = arg;
	size_t old;

	if (r->refused || !r->at || r->at->first)
		return;
	old = strlen(r->at->text);
	if (old + (size_t)len + 1 > r->text_room) {
		char *grown;

		r->text_room = 2 * (old + (size_t)len) + 16;
		grown = realloc(r->at->text, r->text_room);
		if (!grown) {
			stop(r, "out of memory");
			return;
		}
		r->at->text = grown;
	}
	memcpy(r->at->text + old, text, (size_t)len);
	r->at->text[old + (size_t)len] = '\0';
}

static void XMLCALL on_doctype(void *arg, const char *name, const char *system_id,
			       const char *public_id, int internal)
{
	(void)name;
	(void)system_id;
	(void)public_id;
	(void)internal;
	stop(arg, "a document type and entities are not allowed");
}

static int fail_at(const char *file, unsigned line, struct err *e, const char *text)
{
	return err_set(e, "%s:%u: %s", file, line, text);
}

static int parse(struct reading *r, const char *text, size_t len, struct err *e)
{
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	if (XML_Parse(r->parser, text, (int)len, 1) == XML_STATUS_OK && !r->refused)
		return 0;
	if (r->refused)
		return fail_at(r->x->file, line_of(r), e, r->refused);
	return fail_at(r->x->file, line_of(r), e, XML_ErrorString(XML_GetErrorCode(r->parser)));
}

int xml_parse(const char *file, const char *text, size_t len, struct xml *x, struct err *e)
{
	struct reading r = {.x = x};
	int rc;

	*x = (struct xml){.file = file};
	if (len > XML_BYTES_MAX)
		return err_set(e, "%s: larger than %u bytes", file, XML_BYTES_MAX);
	r.parser = XML_ParserCreate(NULL);
	if (!r.parser)
		return err_set(e, "%s: out of memory", file);
	rc = parse(&r, text, len, e);
	XML_ParserFree(r.parser);
	if (rc < 0)
		xml_release(x);
	return rc;
}

/* Leaves first, without recursion. */
void xml_release(struct xml *x)
{
	struct xml_node *n = x->root;

	while (n) {
		struct xml_node *then;

		if (n->first) {
			then = n->first;
			n->first = NULL;
		} else {
			then = n->next ? n->next : n->parent;
			node_free(n);
		}
		n = then;
	}
	x->root = NULL;
}

static const struct xml_node *find(const struct xml_node *from, const char *name)
{
	while (from && strcmp(from->name, name) != 0)
		from = from->next;
	return from;
}

const struct xml_node *xml_child(const struct xml_node *node, const char *name)
{
	return node ? find(node->first, name) : NULL;
}

const struct xml_node *xml_next(const struct xml_node *node)
{
	return find(node->next, node->name);
}

const char *xml_attribute(const struct xml_node *node, const char *name)
{
	for (char **a = node->attributes; *a; a += 2)
		if (strcmp(a[0], name) == 0)
			return a[1];
	return NULL;
}

int xml_fail(const struct xml *x, const struct xml_node *at, struct err *e, const char *fmt, ...)
{
	char text[252];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	/* What the file says may be in it: nothing that steers a terminal gets through. */
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return err_set(e, "%s:%u: %s", x->file, at->line, text);
}
