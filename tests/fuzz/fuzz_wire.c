/*
 * A request as a hostile client would send it: the first byte chooses the type, the rest is the message.  What wire_check()
 * passes must unpack, and its strings must be all of what was sent.
 */
#include <stdlib.h>

#include "judge/api.h"
#include "proto/err.h"
#include "proto/grpc_health.pb-c.h"
#include "proto/grpc_reflection.pb-c.h"
#include "proto/sandbox.pb-c.h"
#include "proto/scope.h"
#include "proto/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const ProtobufCMessageDescriptor *const types[] = {
	&judge__v1__submit_request__descriptor,
	&judge__v1__get_submission_request__descriptor,
	&judge__v1__list_submissions_request__descriptor,
	&judge__v1__watch_submission_request__descriptor,
	&judge__v1__cancel_submission_request__descriptor,
	&judge__v1__list_problems_request__descriptor,
	&judge__v1__get_problem_request__descriptor,
	&judge__v1__list_languages_request__descriptor,
	&judge__v1__get_server_info_request__descriptor,
	&judge__v1__submission__descriptor, /* answers: what the client unpacks */
	&judge__v1__event__descriptor,
	&judge__v1__list_submissions_response__descriptor,
	&sandbox__welcome__descriptor,
	&sandbox__reply__descriptor,
	&grpc__health__v1__health_check_request__descriptor,
	&grpc__reflection__v1alpha__server_reflection_request__descriptor,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const ProtobufCMessageDescriptor *type;
	AUTO_FREE uint8_t *again = NULL;
	ProtobufCMessage *m;
	struct err e = {0};
	size_t size;

	if (len == 0)
		return 0;
	type = types[data[0] % ARRAY_LEN(types)];
	if (wire_check(type, data + 1, len - 1, &e) < 0) {
		if (!e.msg[0])
			abort(); /* refused without a reason */
		return 0;
	}
	m = protobuf_c_message_unpack(type, NULL, len - 1, data + 1);
	if (!m)
		abort(); /* passed but not a message */
	size = protobuf_c_message_get_packed_size(m);
	again = malloc(size + 1);
	if (!again || protobuf_c_message_pack(m, again) != size ||
	    wire_check(type, again, size, &e) < 0)
		abort(); /* what was unpacked is no longer a good message */
	protobuf_c_message_free_unpacked(m, NULL);
	return 0;
}
