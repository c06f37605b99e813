/*
 * xml.h - XML read strictly: a small tree that remembers lines.
 *
 * Polygon's packages are described in XML.  They are hostile, so only what such a file needs is taken: one document of elements,
 * attributes and text.  A document type (and with it every entity but the five of XML itself: no "billion laughs", no files of
 * the host) is refused, and so are too much depth and too many elements.  Expat does the reading: one small library without
 * dependencies that fetches nothing by itself; what calls itself an XML library beyond that (libxml2) can fetch, include and
 * validate, none of which a file of strangers should be able to ask for.
 *
 * All errors read "FILE:LINE: what is wrong, what is expected".
 */
#ifndef XML_H
#define XML_H

#include <stddef.h>

struct err;

#define XML_BYTES_MAX (4U << 20)
#define XML_DEPTH_MAX 32
#define XML_NODES_MAX 100000

struct xml_node { /* owned by its struct xml */
	char *name;
	unsigned line;
	char **attributes; /* name, value, name, value, NULL */
	char *text; /* directly in it, "" if there is none; not of elements that hold others */
	struct xml_node *parent, *first, *next, *last;
};

struct xml {
	const char *file; /* for messages; borrowed */
	struct xml_node *root;
};

/* text is borrowed for the call.  root is never NULL after 0.  -1: *x holds nothing. */
int xml_parse(const char *file, const char *text, size_t len, struct xml *x, struct err *e);
void xml_release(struct xml *x);

/* The first element of this name in it, and the next one behind that; NULL: none.  node may be NULL. */
const struct xml_node *xml_child(const struct xml_node *node, const char *name);
const struct xml_node *xml_next(const struct xml_node *node);

/* NULL: it has none. */
const char *xml_attribute(const struct xml_node *node, const char *name);

/* "FILE:LINE: ..." -> -1 */
int xml_fail(const struct xml *x, const struct xml_node *at, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
