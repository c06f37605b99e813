#include <criterion/criterion.h>
#include <protobuf-c/protobuf-c.h>
#include <search.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/judge.pb-c.h"
#include "proto/scope.h"

/*
 * tests/judge_v1.fields lists everything that a client of judge.v1 may rely on: one line each for methods, fields and enum
 * values, by name and number.  What is in the list must still be so; what is new must be added to the list.
 */
#define LIST_FILE "tests/judge_v1.fields"
#define MAX_TYPES 64

struct listing {
	char text[65536];
	size_t len;
	const void *seen[MAX_TYPES];
	size_t nseen;
};

__attribute__((format(printf, 2, 3))) static void line(struct listing *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(l->text + l->len, sizeof(l->text) - l->len, fmt, ap);

	va_end(ap);
	cr_assert_lt((size_t)n, sizeof(l->text) - l->len);
	l->len += (size_t)n;
}

static int is_new(struct listing *l, const void *type)
{
	for (size_t i = 0; i < l->nseen; i++)
		if (l->seen[i] == type)
			return 0;
	cr_assert_lt(l->nseen, MAX_TYPES);
	l->seen[l->nseen++] = type;
	return 1;
}

static void list_enum(struct listing *l, const ProtobufCEnumDescriptor *e)
{
	if (is_new(l, e))
		for (unsigned i = 0; i < e->n_values; i++)
			line(l, "enum %s %s = %d\n", e->name, e->values[i].name,
			     e->values[i].value);
}

static void list_message(struct listing *l, const ProtobufCMessageDescriptor *m)
{
	static const char *const labels[] = {"required", "optional", "repeated", "single"};

	if (!is_new(l, m))
		return;
	for (unsigned i = 0; i < m->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->fields[i];

		line(l, "field %s.%s = %u type %d %s\n", m->name, f->name, f->id, (int)f->type,
		     labels[f->label]);
		if (f->type == PROTOBUF_C_TYPE_MESSAGE)
			list_message(l, f->descriptor);
		if (f->type == PROTOBUF_C_TYPE_ENUM)
			list_enum(l, f->descriptor);
	}
}

static void list_service(struct listing *l, const ProtobufCServiceDescriptor *s)
{
	for (unsigned i = 0; i < s->n_methods; i++) {
		line(l, "method %s.%s %s -> %s\n", s->name, s->methods[i].name,
		     s->methods[i].input->name, s->methods[i].output->name);
		list_message(l, s->methods[i].input);
		list_message(l, s->methods[i].output);
	}
}

/* Fails for each line of `all` that is not a line of `in`. */
static void expect_all_in(char *all, const char *in, const char *complaint)
{
	char *rest = all;

	for (char *one; (one = strsep(&rest, "\n"));) {
		char whole[512];

		snprintf(whole, sizeof(whole), "\n%s\n", one);
		cr_expect(one[0] == '\0' || strstr(in, whole), "%s: %s", complaint, one);
	}
}

Test(proto, judge_v1_only_gains)
{
	static struct listing now;
	AUTO_FREE char *listed = NULL;
	AUTO_FREE char *copy = NULL;
	size_t len;
	struct err e = {0};

	cr_assert_eq(io_read_file(LIST_FILE, 1 << 20, &listed, &len, &e), 0, "%s", e.msg);
	line(&now, "\n");
	list_service(&now, &judge__v1__judge__descriptor);
	copy = strdup(now.text);
	expect_all_in(copy, listed, "new, add it to " LIST_FILE);
	expect_all_in(listed, now.text, "gone or changed, which breaks clients");
}
