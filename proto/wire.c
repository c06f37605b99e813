#include "proto/wire.h"

#include <protobuf-c/protobuf-c.h>

#include "proto/err.h"
#include "proto/scope.h"

/* Encoding of protobuf: https://protobuf.dev/programming-guides/encoding/ */
enum wire_type { WIRE_VARINT = 0, WIRE_I64 = 1, WIRE_LEN = 2, WIRE_I32 = 5 };

struct cursor {
	const uint8_t *at;
	const uint8_t *end;
};

/* One message being walked: its place is a path of frames that error messages are made from. */
struct walk {
	const struct walk *up;
	const char *field; /* name in the parent */
	unsigned index;    /* which element of a repeated field */
	unsigned repeated;
	unsigned depth;
	size_t *budget; /* elements left, shared by the whole walk */
	/* While its fields are walked: the last one seen and how often in a row. */
	const ProtobufCFieldDescriptor *last;
	unsigned run;
};

static int walk_message(struct walk *w, const ProtobufCMessageDescriptor *type, struct cursor c,
			struct err *e);

static size_t utf8_sequence(const uint8_t *p, size_t left)
{
	static const struct {
		uint8_t mask, lead, low, high; /* low, high: range of the first continuation byte */
		uint8_t first, last, len;
	} forms[] = {
		{0x80, 0x00, 0, 0, 0x01, 0x7f, 1},       {0xe0, 0xc0, 0x80, 0xbf, 0xc2, 0xdf, 2},
		{0xff, 0xe0, 0xa0, 0xbf, 0xe0, 0xe0, 3}, {0xff, 0xed, 0x80, 0x9f, 0xed, 0xed, 3},
		{0xf0, 0xe0, 0x80, 0xbf, 0xe1, 0xef, 3}, {0xff, 0xf0, 0x90, 0xbf, 0xf0, 0xf0, 4},
		{0xff, 0xf4, 0x80, 0x8f, 0xf4, 0xf4, 4}, {0xf8, 0xf0, 0x80, 0xbf, 0xf1, 0xf3, 4},
	};

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if ((p[0] & forms[i].mask) != forms[i].lead || p[0] < forms[i].first ||
		    p[0] > forms[i].last)
			continue;
		if (forms[i].len > left)
			return 0;
		if (forms[i].len > 1 && (p[1] < forms[i].low || p[1] > forms[i].high))
			return 0;
		for (size_t k = 2; k < forms[i].len; k++)
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].len;
	}
	return 0;
}

size_t wire_utf8_prefix(const uint8_t *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t n = utf8_sequence(text + at, len - at);

		if (n == 0)
			break;
		at += n;
	}
	return at;
}

void wire_make_utf8(char *text)
{
	uint8_t *at = (uint8_t *)text;
	size_t left = strlen(text);

	while (left > 0) {
		size_t good = wire_utf8_prefix(at, left);

		if (good < left)
			at[good++] = '?';
		at += good;
		left -= good;
	}
}

/* "sources[1].name", outermost first; returns the length written. */
/* NOLINTNEXTLINE(misc-no-recursion): at most WIRE_DEPTH_MAX deep */
static size_t path_text(const struct walk *w, char *out, size_t size)
{
	size_t len = 0;
	int n;

	if (!w || !w->field)
		return 0;
	len = path_text(w->up, out, size);
	if (w->repeated)
		n = snprintf(out + len, size - len, "%s%s[%u]", len ? "." : "", w->field, w->index);
	else
		n = snprintf(out + len, size - len, "%s%s", len ? "." : "", w->field);
	len += n < 0 ? 0 : (size_t)n;
	return len < size ? len : size - 1;
}

static int fail(const struct walk *w, struct err *e, const char *what)
{
	char path[160] = "";

	path_text(w, path, sizeof(path));
	return err_set(e, "%s: %s", path[0] ? path : "message", what);
}

static int read_varint(struct cursor *c, uint64_t *out)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 70; shift += 7) {
		if (c->at == c->end)
			return -1;
		uint8_t byte = *c->at++;

		if (shift == 63 && byte > 1)
			return -1;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*out = value;
			return 0;
		}
	}
	return -1;
}

static int take(struct cursor *c, uint64_t len, struct cursor *out)
{
	if (len > (uint64_t)(c->end - c->at))
		return -1;
	out->at = c->at;
	out->end = c->at + len;
	c->at += len;
	return 0;
}

/* Tags and lengths: 32 bits, and of no more bytes than those need, padded ones included; protobuf-c has the same limit. */
static int read_short(struct cursor *c, uint64_t *out)
{
	const uint8_t *from = c->at;

	return read_varint(c, out) < 0 || c->at - from > 5 || *out > UINT32_MAX ? -1 : 0;
}

static enum wire_type wire_type_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return WIRE_I32;
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return WIRE_I64;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return WIRE_LEN;
	default:
		return WIRE_VARINT;
	}
}

static int check_string(const struct walk *w, struct cursor body, struct err *e)
{
	size_t len = (size_t)(body.end - body.at);
	size_t good = wire_utf8_prefix(body.at, len);
	char what[80];

	if (good == len)
		return 0;
	if (body.at[good] == 0)
		snprintf(what, sizeof(what), "contains NUL at byte %zu", good);
	else
		snprintf(what, sizeof(what), "not valid UTF-8 at byte %zu", good);
	return fail(w, e, what);
}

/* A packed repeated field: many scalars behind one length. */
static int check_packed(const struct walk *w, enum wire_type element, struct cursor body,
			struct err *e)
{
	size_t size = element == WIRE_I32 ? 4 : 8;
	uint64_t ignored;

	while (body.at < body.end) {
		if (*w->budget == 0)
			return fail(w, e, "too many elements");
		--*w->budget;
		if (element == WIRE_VARINT ? read_varint(&body, &ignored) < 0
					   : (size_t)(body.end - body.at) < size)
			return fail(w, e, "malformed packed field");
		if (element != WIRE_VARINT)
			body.at += size;
	}
	return 0;
}

/* NOLINTBEGIN(misc-no-recursion): at most WIRE_DEPTH_MAX deep */
static int check_known(struct walk *w, const ProtobufCFieldDescriptor *f, enum wire_type wire,
		       struct cursor body, struct err *e)
{
	enum wire_type want = wire_type_of(f->type);

	if (wire != want) {
		if (wire == WIRE_LEN && f->label == PROTOBUF_C_LABEL_REPEATED)
			return check_packed(w, want, body, e);
		return fail(w, e, "wrong type on the wire");
	}
	if (f->type == PROTOBUF_C_TYPE_STRING)
		return check_string(w, body, e);
	if (f->type == PROTOBUF_C_TYPE_MESSAGE)
		return walk_message(w, f->descriptor, body, e);
	return 0;
}

/* Reads the value behind a tag; for WIRE_LEN, *body are the bytes. */
static int read_value(struct cursor *c, enum wire_type wire, struct cursor *body)
{
	uint64_t value;

	switch (wire) {
	case WIRE_VARINT:
		return read_varint(c, &value);
	case WIRE_I64:
		return take(c, 8, body);
	case WIRE_I32:
		return take(c, 4, body);
	case WIRE_LEN:
		return read_short(c, &value) < 0 ? -1 : take(c, value, body);
	default: /* groups are not proto3 */
		return -1;
	}
}

static int walk_field(struct walk *w, const ProtobufCMessageDescriptor *type, struct cursor *c,
		      struct err *e)
{
	struct cursor body = {c->at, c->at};
	const ProtobufCFieldDescriptor *f;
	uint64_t tag;

	if (*w->budget == 0)
		return fail(w, e, "too many elements");
	--*w->budget;
	if (read_short(c, &tag) < 0 || tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
		return fail(w, e, "malformed tag");
	f = protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
	w->run = f && f == w->last ? w->run + 1 : 0;
	w->last = f;

	struct walk inner = {.up = w,
			     .field = f ? f->name : "unknown field",
			     .index = w->run,
			     .repeated = f && f->label == PROTOBUF_C_LABEL_REPEATED,
			     .depth = w->depth + 1,
			     .budget = w->budget};

	if (read_value(c, (enum wire_type)(tag & 7), &body) < 0)
		return fail(&inner, e, "truncated or malformed");
	return f ? check_known(&inner, f, (enum wire_type)(tag & 7), body, e) : 0;
}

static int walk_message(struct walk *w, const ProtobufCMessageDescriptor *type, struct cursor c,
			struct err *e)
{
	if (w->depth > WIRE_DEPTH_MAX)
		return fail(w, e, "nested too deeply");
	while (c.at < c.end)
		if (walk_field(w, type, &c, e) < 0)
			return -1;
	return 0;
}

/* NOLINTEND(misc-no-recursion) */

int wire_check(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t len,
	       struct err *e)
{
	size_t budget = WIRE_ELEMENTS_MAX;
	struct walk root = {.budget = &budget};

	return walk_message(&root, type, (struct cursor){data, data + len}, e);
}
