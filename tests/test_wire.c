#include <criterion/criterion.h>

#include "proto/err.h"
#include "proto/sandbox.pb-c.h"
#include "proto/scope.h"
#include "proto/wire.h"

#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1

/* clang-format off */
static const struct { const uint8_t *bytes; size_t len; size_t good; } texts[] = {
	{ BYTES(""), 0 },
	{ BYTES("plain"), 5 },
	{ BYTES("a\0b"), 1 },                     /* NUL */
	{ BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), 9 },
	{ BYTES("a\x80"), 1 },                    /* continuation without a lead */
	{ BYTES("\xc0\xaf"), 0 },                 /* overlong / */
	{ BYTES("\xc1\xbf"), 0 },
	{ BYTES("\xe0\x80\xaf"), 0 },
	{ BYTES("\xf0\x80\x80\xaf"), 0 },
	{ BYTES("\xed\xa0\x80"), 0 },             /* surrogate */
	{ BYTES("\xed\x9f\xbf\xee\x80\x80"), 6 }, /* on either side of them */
	{ BYTES("\xf4\x8f\xbf\xbf"), 4 },         /* the last code point */
	{ BYTES("\xf4\x90\x80\x80"), 0 },         /* beyond */
	{ BYTES("\xf5\x80\x80\x80"), 0 },
	{ BYTES("ok\xe2\x82"), 2 },               /* cut short */
	{ BYTES("\xff"), 0 },
};
/* clang-format on */

Test(wire, utf8)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		cr_expect_eq(wire_utf8_prefix(texts[i].bytes, texts[i].len), texts[i].good,
			     "text %zu", i);
}

Test(wire, made_utf8)
{
	static const char *const pairs[][2] = {
		{"", ""},
		{"fine \xc3\xa9", "fine \xc3\xa9"},
		{"\xff\xfe", "??"},
		{"a\x80z", "a?z"},
		{"cut \xe2\x82", "cut ??"},
		{"\xed\xa0\x80", "???"},
		{"\xc3\xc3\xa9", "?\xc3\xa9"},
	};
	char text[32];

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		snprintf(text, sizeof(text), "%s", pairs[i][0]);
		wire_make_utf8(text);
		cr_expect_str_eq(text, pairs[i][1], "pair %zu: %s", i, text);
	}
}

/* clang-format off */
static const struct { const uint8_t *bytes; size_t len; const char *error; } frames[] = {
	{ BYTES(""), NULL },
	{ BYTES("\x08\x02"), NULL },
	{ BYTES("\x08\x02\x08\x01"), NULL },                 /* twice: the last one counts */
	{ BYTES("\xf8\x3f\x01"), NULL },                     /* unknown field 1023 */
	{ BYTES("\x1a\x02\x01\x02"), NULL },                 /* modes, packed */
	{ BYTES("\x18\x01\x18\x02"), NULL },                 /* modes, one by one */
	{ BYTES("\x62\x02sh\x62\x01x"), NULL },
	{ BYTES("\x08"), "kind: truncated" },
	{ BYTES("\x08\x80"), "kind: truncated" },
	{ BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), "kind: truncated" },
	{ BYTES("\x0a\x01x"), "kind: wrong type" },
	{ BYTES("\x0d\1\2\3\4"), "kind: wrong type" },
	{ BYTES("\x60\x01"), "argv[0]: wrong type" },
	{ BYTES("\x62\x02sh\x62\x09x"), "argv[1]: truncated" },
	{ BYTES("\x62\x02sh\x62\x02\xc3("), "argv[1]: not valid UTF-8 at byte 0" },
	{ BYTES("\x62\x03s\0h"), "argv[0]: contains NUL at byte 1" },
	{ BYTES("\x62\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"), "argv[0]: truncated" },
	{ BYTES("\x1a\x01\x80"), "modes[0]: malformed packed" },
	{ BYTES("\x00\x01"), "malformed tag" },
	{ BYTES("\x80"), "malformed tag" },
	{ BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "malformed tag" },
	{ BYTES("\xfb\x3f"), "unknown field: truncated" },   /* a group, known or not */
	{ BYTES("\x0b"), "kind: truncated" },
	{ BYTES("\x0e"), "kind: truncated" },
};
/* clang-format on */

Test(wire, frames_are_judged_by_the_descriptor)
{
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		struct err e = {0};
		int status = wire_check(&sandbox__request__descriptor, frames[i].bytes,
					frames[i].len, &e);

		if (!frames[i].error) {
			cr_expect_eq(status, 0, "frame %zu: %s", i, e.msg);
			continue;
		}
		cr_expect_eq(status, -1, "frame %zu", i);
		cr_expect_not_null(strstr(e.msg, frames[i].error), "frame %zu: %s", i, e.msg);
	}
}

Test(wire, elements_are_bounded)
{
	static uint8_t many[2 * (WIRE_ELEMENTS_MAX + 1)];
	struct err e = {0};

	for (size_t i = 0; i < sizeof(many); i += 2)
		many[i] = 0x18; /* modes: 0 */
	cr_expect_eq(wire_check(&sandbox__request__descriptor, many, sizeof(many) - 2, &e), 0, "%s",
		     e.msg);
	cr_expect_eq(wire_check(&sandbox__request__descriptor, many, sizeof(many), &e), -1);
	cr_expect_not_null(strstr(e.msg, "too many elements"));
}

/* What passes is what protobuf-c unpacks. */
Test(wire, agrees_with_protobuf_c)
{
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		Sandbox__Request *rq;

		if (frames[i].error)
			continue;
		rq = sandbox__request__unpack(NULL, frames[i].len, frames[i].bytes);
		cr_expect_not_null(rq, "frame %zu", i);
		if (rq)
			sandbox__request__free_unpacked(rq, NULL);
	}
}
