/*
 * wire.h - look at a serialized protobuf message before protobuf-c does.
 *
 * protobuf-c has no limit on nesting, does not check UTF-8 and hands strings out as C strings, so that a NUL silently cuts
 * them.  wire_check() walks the bytes by the message's own descriptor and refuses what would be dangerous or ambiguous, with
 * the name of the field.  It allocates nothing.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct ProtobufCMessageDescriptor;

#define WIRE_DEPTH_MAX 16
#define WIRE_ELEMENTS_MAX                                                                          \
	100000 /* repeated elements and unknown fields together, a bound on what unpacking allocates */

/*
 * 0 if data is a well-formed message of this type: every tag and length inside bounds, wire types as declared, strings valid
 * UTF-8 without NUL, depth and number of elements within the limits.  Unknown fields are allowed.  Errors read
 * "sources[1].name: not valid UTF-8 at byte 3".
 */
int wire_check(const struct ProtobufCMessageDescriptor *type, const uint8_t *data, size_t len,
	       struct err *e);

/* The length of valid UTF-8 without NUL at the start of text; equals len when all of it is. */
size_t wire_utf8_prefix(const uint8_t *text, size_t len);

/* Puts '?' in place of every byte that would make text invalid UTF-8: a name from a box, a message cut within a letter. */
void wire_make_utf8(char *text);

#endif
