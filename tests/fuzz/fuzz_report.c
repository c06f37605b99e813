/*
 * The report of a run that went any way: JSON that can be read back, with every figure of the Reply under its own name and as it
 * was, and every text in UTF-8.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/report.h"

struct input {
	const uint8_t *data;
	size_t len;
};

static uint64_t take(struct input *in, size_t size)
{
	size_t n = size < in->len ? size : in->len;
	uint64_t value = 0;

	if (n > 0)
		memcpy(&value, in->data, n);
	in->data += n;
	in->len -= n;
	return value;
}

/* Two bytes say how long it is; the caller frees it. */
static char *take_text(struct input *in)
{
	size_t wanted = (size_t)take(in, 2) % 2048, n = wanted < in->len ? wanted : in->len;
	char *text = calloc(n + 1, 1);

	if (!text)
		abort();
	if (n > 0)
		memcpy(text, in->data, n);
	in->data += n;
	in->len -= n;
	return text;
}

static bool is_figure(const ProtobufCFieldDescriptor *f)
{
	return f->label != PROTOBUF_C_LABEL_REPEATED &&
	       (f->type == PROTOBUF_C_TYPE_UINT64 || f->type == PROTOBUF_C_TYPE_UINT32);
}

/* Every field that is there once, in the order of the message. */
static void fill(Sandbox__Reply *r, struct input *in)
{
	for (unsigned i = 0; i < sandbox__reply__descriptor.n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &sandbox__reply__descriptor.fields[i];
		uint8_t *at = (uint8_t *)r + f->offset;

		if (f->label == PROTOBUF_C_LABEL_REPEATED)
			continue;
		if (f->type == PROTOBUF_C_TYPE_STRING)
			*(char **)at = take_text(in);
		else if (f->type == PROTOBUF_C_TYPE_UINT64)
			*(uint64_t *)at = take(in, 8);
		else if (f->type == PROTOBUF_C_TYPE_ENUM)
			*(uint32_t *)at = (uint32_t)take(in, 1) % 12;
		else if (f->type != PROTOBUF_C_TYPE_BOOL)
			*(uint32_t *)at = (uint32_t)take(in, 4);
	}
}

static void check_figures(const Sandbox__Reply *r, const json_t *report)
{
	for (unsigned i = 0; i < sandbox__reply__descriptor.n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &sandbox__reply__descriptor.fields[i];
		const uint8_t *at = (const uint8_t *)r + f->offset;
		const json_t *got = json_object_get(report, f->name);
		uint64_t n;

		if (!is_figure(f))
			continue;
		if (!got)
			got = json_object_get(json_object_get(report, "memory"), f->name);
		n = f->type == PROTOBUF_C_TYPE_UINT64 ? *(const uint64_t *)at
						      : *(const uint32_t *)at;
		if (!json_is_integer(got) ||
		    (uint64_t)json_integer_value(got) != (n < INT64_MAX ? n : INT64_MAX))
			abort();
	}
}

/* A number or text is there exactly when the status gives it a meaning. */
static void check_meaning(const Sandbox__Reply *r, const json_t *report)
{
	const char *status = json_string_value(json_object_get(report, "status"));

	if (!status || strcmp(status, report_status_name(r->status)) != 0)
		abort();
	if (json_is_integer(json_object_get(report, "exit_code")) !=
		    (r->status == SANDBOX__STATUS__EXITED) ||
	    json_is_integer(json_object_get(report, "signal")) !=
		    (r->status == SANDBOX__STATUS__SIGNALED) ||
	    json_is_string(json_object_get(report, "syscall")) !=
		    (r->status == SANDBOX__STATUS__FORBIDDEN_SYSCALL) ||
	    !json_is_string(json_object_get(report, "message")))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	Sandbox__Reply r = SANDBOX__REPLY__INIT;
	struct input in = {data, len};
	struct err e = {0};
	AUTO_CLOSE int fd = io_memfd(&e);
	json_t *report;

	fill(&r, &in);
	if (fd < 0 || report_write(fd, &r, &e) < 0 || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	report = json_loadfd(fd, JSON_REJECT_DUPLICATES, NULL);
	if (!report)
		abort();
	check_figures(&r, report);
	check_meaning(&r, report);
	json_decref(report);
	free(r.error);
	free(r.message);
	free(r.syscall);
	return 0;
}
