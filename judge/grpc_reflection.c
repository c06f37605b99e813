/*
 * Server reflection: hands out the descriptors that protoc made of our .proto files (descriptors.S).
 *
 * They are a google.protobuf.FileDescriptorSet, walked here as bytes: it is our own data, a few kilobytes, and a question is
 * rare, so there is no index.  Only files that declare a service, and what those import, are shown.
 */
#include <stdint.h>

#include "judge/api.h"
#include "judge/grpc_rpc.h"
#include "proto/grpc_reflection.pb-c.h"
#include "proto/log.h"
#include "proto/scope.h"

extern const uint8_t descriptors_start[], descriptors_end[];

#define FILES_MAX  16
#define NAME_BYTES 256

typedef Grpc__Reflection__V1alpha__ServerReflectionRequest question;
typedef Grpc__Reflection__V1alpha__ServerReflectionResponse answer;

struct span {
	const uint8_t *at, *end;
};

/* Field numbers of google/protobuf/descriptor.proto. */
enum {
	SET_FILE = 1,
	FILE_NAME = 1,
	FILE_PACKAGE = 2,
	FILE_DEPENDENCY = 3,
	FILE_SERVICE = 6,
	ENUM_VALUE = 2
};
enum node { NODE_FILE, NODE_MESSAGE, NODE_ENUM, NODE_SERVICE, NODE_LEAF };

/* Where named things are inside others.  Enum values are missing: they are named beside their enum, see is_value(). */
static const struct child {
	enum node parent;
	unsigned field;
	enum node node;
} children[] = {
	{NODE_FILE, 4, NODE_MESSAGE}, {NODE_FILE, 5, NODE_ENUM},       {NODE_FILE, 6, NODE_SERVICE},
	{NODE_MESSAGE, 2, NODE_LEAF}, {NODE_MESSAGE, 3, NODE_MESSAGE}, {NODE_MESSAGE, 4, NODE_ENUM},
	{NODE_MESSAGE, 8, NODE_LEAF}, {NODE_SERVICE, 2, NODE_LEAF},
};

static uint64_t varint(struct span *s)
{
	uint64_t value = 0;

	for (unsigned shift = 0; s->at < s->end && shift < 64; shift += 7) {
		uint8_t byte = *s->at++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
	}
	return value;
}

/* The next field: 0 at the end.  Only length-delimited ones have a body, the others are stepped over. */
static unsigned next_field(struct span *s, struct span *body)
{
	static const size_t fixed[] = {[1] = 8, [5] = 4};
	size_t len = 0;
	uint64_t tag;

	*body = (struct span){s->at, s->at};
	if (s->at >= s->end)
		return 0;
	tag = varint(s);
	if ((tag & 7) == 0)
		(void)varint(s);
	else if ((tag & 7) == 2)
		len = varint(s);
	else if ((tag & 7) < ARRAY_LEN(fixed))
		len = fixed[tag & 7];
	if (len > (size_t)(s->end - s->at))
		len = (size_t)(s->end - s->at);
	*body = (struct span){s->at, s->at + len};
	s->at += len;
	return (unsigned)(tag >> 3);
}

/* The first field of this number; empty if there is none. */
static struct span field_of(struct span s, unsigned number)
{
	struct span body = {NULL, NULL};
	unsigned field;

	while ((field = next_field(&s, &body)) != 0)
		if (field == number)
			return body;
	return (struct span){s.end, s.end};
}

static int span_is(struct span s, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(s.end - s.at) == len && memcmp(s.at, text, len) == 0;
}

static struct span whole_set(void)
{
	return (struct span){descriptors_start, descriptors_end};
}

/* The rest of name after "part."; NULL if it does not begin so.  An empty part is skipped. */
static const char *strip(const char *name, struct span part)
{
	size_t len = (size_t)(part.end - part.at);

	if (len == 0)
		return name;
	if (strncmp(name, (const char *)part.at, len) != 0 || name[len] != '.')
		return NULL;
	return name + len + 1;
}

/* An enum's value of this name. */
static int is_value(struct span body, const char *name)
{
	struct span value;
	unsigned field;

	while ((field = next_field(&body, &value)) != 0)
		if (field == ENUM_VALUE && span_is(field_of(value, 1), name))
			return 1;
	return 0;
}

static const struct child *child_of(enum node parent, unsigned field)
{
	for (size_t i = 0; i < ARRAY_LEN(children); i++)
		if (children[i].parent == parent && children[i].field == field)
			return &children[i];
	return NULL;
}

/*
 * Looks among the things right inside a node for name, or for the one that name goes on in: 1 it is one of them, 0 it is not;
 * -1 it can only be inside the child that *body, *node and *name now are.
 */
static int look_inside(struct span *body, enum node *node, const char **name)
{
	struct span inside = *body, inner;
	unsigned field;

	while ((field = next_field(&inside, &inner)) != 0) {
		const struct child *c = child_of(*node, field);
		struct span own = field_of(inner, 1);

		if (!c)
			continue;
		if (span_is(own, *name) || (c->node == NODE_ENUM && is_value(inner, *name)))
			return 1;
		if (c->node == NODE_LEAF || c->node == NODE_ENUM || !strip(*name, own))
			continue;
		*name = strip(*name, own);
		*body = inner;
		*node = c->node;
		return -1;
	}
	return 0;
}

static int has_symbol(struct span body, enum node node, const char *name)
{
	int found;

	do {
		found = look_inside(&body, &node, &name);
	} while (found < 0);
	return found;
}

static int file_has_symbol(struct span file, const char *name)
{
	const char *rest = strip(name, field_of(file, FILE_PACKAGE));

	return rest && has_symbol(file, NODE_FILE, rest);
}

static int file_is(struct span file, const char *name)
{
	return span_is(field_of(file, FILE_NAME), name);
}

/* A file and all it imports, each once. */
struct files {
	struct span file[FILES_MAX];
	size_t n;
};

static struct span find_file_span(struct span name)
{
	struct span set = whole_set(), file;

	while (next_field(&set, &file) == SET_FILE) {
		struct span own = field_of(file, FILE_NAME);

		if (own.end - own.at == name.end - name.at &&
		    memcmp(own.at, name.at, (size_t)(name.end - name.at)) == 0)
			return file;
	}
	return (struct span){NULL, NULL};
}

static void add_file(struct files *all, struct span file)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->file[i].at == file.at)
			return;
	if (file.at && all->n < FILES_MAX)
		all->file[all->n++] = file;
}

static void add_imports(struct files *all)
{
	for (size_t i = 0; i < all->n; i++) {
		struct span file = all->file[i], body;
		unsigned field;

		while ((field = next_field(&file, &body)) != 0)
			if (field == FILE_DEPENDENCY)
				add_file(all, find_file_span(body));
	}
}

static void public_files(struct files *all)
{
	struct span set = whole_set(), file;

	all->n = 0;
	while (next_field(&set, &file) == SET_FILE)
		if (field_of(file, FILE_SERVICE).at != field_of(file, FILE_SERVICE).end)
			add_file(all, file);
	add_imports(all);
}

/* The public file for which test() is true of this name, with its imports; 0 files if there is none. */
static void find_files(struct files *found, int (*test)(struct span, const char *),
		       const char *name)
{
	struct files all;

	public_files(&all);
	found->n = 0;
	for (size_t i = 0; i < all.n && found->n == 0; i++)
		if (test(all.file[i], name))
			add_file(found, all.file[i]);
	add_imports(found);
}

static void say_error(struct rpc *r, answer a, const char *what, const char *name)
{
	Grpc__Reflection__V1alpha__ErrorResponse error =
		GRPC__REFLECTION__V1ALPHA__ERROR_RESPONSE__INIT;
	char text[NAME_BYTES];

	snprintf(text, sizeof(text), "%s %.200s", what, log_q(name));
	error.error_code = name ? API_NOT_FOUND : API_INVALID_ARGUMENT;
	error.error_message = name ? text : (char *)what;
	a.message_response_case =
		GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
	a.error_response = &error;
	rpc_send(r, &a.base);
}

static void say_files(struct rpc *r, answer a, const struct files *found, const char *what,
		      const char *name)
{
	Grpc__Reflection__V1alpha__FileDescriptorResponse files =
		GRPC__REFLECTION__V1ALPHA__FILE_DESCRIPTOR_RESPONSE__INIT;
	ProtobufCBinaryData bytes[FILES_MAX];

	if (found->n == 0) {
		say_error(r, a, what, name);
		return;
	}
	for (size_t i = 0; i < found->n; i++) {
		bytes[i].data = (uint8_t *)found->file[i].at;
		bytes[i].len = (size_t)(found->file[i].end - found->file[i].at);
	}
	files.file_descriptor_proto = bytes;
	files.n_file_descriptor_proto = found->n;
	a.message_response_case =
		GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
	a.file_descriptor_response = &files;
	rpc_send(r, &a.base);
}

/* proto3 messages have no extensions: the list is empty for every type there is. */
static void say_extensions(struct rpc *r, answer a, const char *type)
{
	Grpc__Reflection__V1alpha__ExtensionNumberResponse none =
		GRPC__REFLECTION__V1ALPHA__EXTENSION_NUMBER_RESPONSE__INIT;
	struct files found;

	find_files(&found, file_has_symbol, type);
	if (found.n == 0) {
		say_error(r, a, "there is no type called", type);
		return;
	}
	none.base_type_name = (char *)type;
	a.message_response_case =
		GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ALL_EXTENSION_NUMBERS_RESPONSE;
	a.all_extension_numbers_response = &none;
	rpc_send(r, &a.base);
}

/* Package and name of a service, joined. */
static size_t service_names(char names[FILES_MAX][NAME_BYTES])
{
	struct files all;
	size_t n = 0;

	public_files(&all);
	for (size_t i = 0; i < all.n; i++) {
		struct span file = all.file[i], body;
		struct span package = field_of(file, FILE_PACKAGE);
		unsigned field;

		while ((field = next_field(&file, &body)) != 0) {
			struct span own = field_of(body, 1);

			if (field == FILE_SERVICE && n < FILES_MAX)
				snprintf(names[n++], NAME_BYTES, "%.*s.%.*s",
					 (int)(package.end - package.at), (const char *)package.at,
					 (int)(own.end - own.at), (const char *)own.at);
		}
	}
	return n;
}

static void say_services(struct rpc *r, answer a)
{
	Grpc__Reflection__V1alpha__ListServiceResponse list =
		GRPC__REFLECTION__V1ALPHA__LIST_SERVICE_RESPONSE__INIT;
	Grpc__Reflection__V1alpha__ServiceResponse rows[FILES_MAX];
	Grpc__Reflection__V1alpha__ServiceResponse *row_of[FILES_MAX];
	char names[FILES_MAX][NAME_BYTES];

	list.n_service = service_names(names);
	for (size_t i = 0; i < list.n_service; i++) {
		grpc__reflection__v1alpha__service_response__init(&rows[i]);
		rows[i].name = names[i];
		row_of[i] = &rows[i];
	}
	list.service = row_of;
	a.message_response_case =
		GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
	a.list_services_response = &list;
	rpc_send(r, &a.base);
}

static void step_info(struct rpc *r)
{
	question *q = (question *)rpc_request(r);
	answer a = GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_RESPONSE__INIT;
	struct files found;

	a.valid_host = q->host;
	a.original_request = q;
	switch (q->message_request_case) {
	case GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
		find_files(&found, file_is, q->file_by_filename);
		say_files(r, a, &found, "there is no file called", q->file_by_filename);
		return;
	case GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
		find_files(&found, file_has_symbol, q->file_containing_symbol);
		say_files(r, a, &found, "there is no symbol called", q->file_containing_symbol);
		return;
	case GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_EXTENSION:
		say_error(r, a, "there are no extensions of",
			  q->file_containing_extension->containing_type);
		return;
	case GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE:
		say_extensions(r, a, q->all_extension_numbers_of_type);
		return;
	case GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
		say_services(r, a);
		return;
	default:
		say_error(r, a, "message_request: nothing is asked", NULL);
	}
}

#define INFO(service)                                                                              \
	{                                                                                          \
		service, "ServerReflectionInfo", RPC_BIDI,                                         \
			&grpc__reflection__v1alpha__server_reflection_request__descriptor,         \
			step_info, NULL                                                            \
	}
/* clang-format off */
const struct rpc_method grpc_reflection_methods[] = {
	INFO("grpc.reflection.v1.ServerReflection"),
	INFO("grpc.reflection.v1alpha.ServerReflection"),
	{0},
};
/* clang-format on */
