#include "judge/grpc_bytes.h"

#include <grpc/byte_buffer_reader.h>

#include "proto/err.h"
#include "proto/wire.h"

grpc_byte_buffer *grpc_bytes_pack(const ProtobufCMessage *message)
{
	grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));
	grpc_byte_buffer *buffer;

	protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
	buffer = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	return buffer;
}

int grpc_bytes_read(grpc_byte_buffer *buffer, grpc_slice *bytes, struct err *e)
{
	grpc_byte_buffer_reader reader;

	if (!grpc_byte_buffer_reader_init(&reader, buffer))
		return err_set(e, "message: cannot be decompressed");
	*bytes = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	return 0;
}

ProtobufCMessage *grpc_bytes_unpack(const ProtobufCMessageDescriptor *type, grpc_slice bytes,
				    struct err *e)
{
	const uint8_t *data = GRPC_SLICE_START_PTR(bytes);
	size_t len = GRPC_SLICE_LENGTH(bytes);
	ProtobufCMessage *m;

	if (wire_check(type, data, len, e) < 0)
		return NULL;
	m = protobuf_c_message_unpack(type, NULL, len, data);
	if (!m)
		err_set(e, "message: not a %s", type->name);
	return m;
}
