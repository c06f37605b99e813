/*
 * Any message of judge.v1 as JSON, by its descriptor: names as in judge.proto, enum values by name, 64-bit numbers as numbers,
 * bytes as text when they are UTF-8 and as {"base64": ...} otherwise.  Fields at their default are written too, but for messages that
 * are not there.
 */
#include <jansson.h>
#include <openssl/evp.h>

#include "judge/cli.h"
#include "proto/scope.h"
#include "proto/wire.h"

/* judge.proto nests its messages three deep, and the wire check has seen to the rest. */
/* NOLINTBEGIN(misc-no-recursion) */
static json_t *message_json(const ProtobufCMessage *m);

static const char *enum_name(const ProtobufCEnumDescriptor *type, int value)
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(type, value);

	return v ? v->name : "UNKNOWN";
}

static json_t *bytes_json(const ProtobufCBinaryData *bytes)
{
	AUTO_FREE char *encoded = NULL;

	if (wire_utf8_prefix(bytes->data, bytes->len) == bytes->len)
		return json_stringn((const char *)bytes->data, bytes->len);
	encoded = malloc(bytes->len / 3 * 4 + 5);
	if (!encoded)
		return NULL;
	EVP_EncodeBlock((uint8_t *)encoded, bytes->data, (int)bytes->len);
	return json_pack("{s:s}", "base64", encoded);
}

static json_t *value_json(const ProtobufCFieldDescriptor *f, const void *at)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		return json_string(*(char *const *)at ? *(char *const *)at : "");
	case PROTOBUF_C_TYPE_BYTES:
		return bytes_json(at);
	case PROTOBUF_C_TYPE_MESSAGE:
		return *(ProtobufCMessage *const *)at ? message_json(*(ProtobufCMessage *const *)at)
						      : json_null();
	case PROTOBUF_C_TYPE_ENUM:
		return json_string(enum_name(f->descriptor, *(const int *)at));
	case PROTOBUF_C_TYPE_BOOL:
		return json_boolean(*(const protobuf_c_boolean *)at);
	case PROTOBUF_C_TYPE_INT32:
		return json_integer(*(const int32_t *)at);
	case PROTOBUF_C_TYPE_UINT32:
		return json_integer(*(const uint32_t *)at);
	case PROTOBUF_C_TYPE_INT64:
		return json_integer(*(const int64_t *)at);
	case PROTOBUF_C_TYPE_UINT64: /* nothing here is anywhere near 2^63 */
		return json_integer((json_int_t) * (const uint64_t *)at);
	default: /* judge.proto has no others */
		return json_null();
	}
}

static size_t element_size(const ProtobufCFieldDescriptor *f)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64:
		return sizeof(int64_t);
	default:
		return sizeof(int32_t);
	}
}

static json_t *field_json(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	const char *at = (const char *)m + f->offset;
	json_t *list;
	size_t n;

	if (f->label != PROTOBUF_C_LABEL_REPEATED)
		return value_json(f, at);
	list = json_array();
	n = *(const size_t *)(const void *)((const char *)m + f->quantifier_offset);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, value_json(f, *(const char *const *)(const void *)at +
								  i * element_size(f)));
	return list;
}

static json_t *message_json(const ProtobufCMessage *m)
{
	json_t *object = json_object();

	for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];

		json_t *value = field_json(m, f);

		if (json_is_null(value))
			json_decref(value);
		else
			json_object_set_new(object, f->name, value);
	}
	return object;
}
/* NOLINTEND(misc-no-recursion) */

void cli_json(const ProtobufCMessage *message)
{
	json_t *object = message_json(message);

	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(object);
}
