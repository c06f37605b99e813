/*
 * grpc_bytes.h - between gRPC's buffers and protobuf-c's messages, on both sides of a connection.
 */
#ifndef GRPC_BYTES_H
#define GRPC_BYTES_H

#include <grpc/grpc.h>
#include <protobuf-c/protobuf-c.h>

struct err;

/* A buffer of its own for a message (borrowed); the caller destroys it. */
grpc_byte_buffer *grpc_bytes_pack(const ProtobufCMessage *message);

/* All of a received buffer (borrowed) in one slice, which the caller unreferences.  -1: it cannot be decompressed. */
int grpc_bytes_read(grpc_byte_buffer *buffer, grpc_slice *bytes, struct err *e);

/*
 * A message out of bytes that the other side sent: looked at by wire_check() first.  The caller owns it; NULL with the
 * field that is wrong in *e.
 */
ProtobufCMessage *grpc_bytes_unpack(const ProtobufCMessageDescriptor *type, grpc_slice bytes,
				    struct err *e);

#endif
