/*
 * The first byte chooses the flags, the rest is cut at its first 0xff into answer and output.  Beside what the sanitizers see: a
 * text always agrees with itself, a message is there exactly when the output is wrong, and it is printable.
 */
#include <stddef.h>
#include <stdint.h>

#include "judge/validator.h"
#include "proto/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *const choices[][4] = {
	{NULL},
	{"case_sensitive", NULL},
	{"space_change_sensitive", NULL},
	{"float_tolerance", "1e-6", NULL},
	{"float_relative_tolerance", "0.5", "case_sensitive", NULL},
	{"float_absolute_tolerance", "0", NULL},
};

static void check_message(const char *message, int accepted)
{
	if (accepted != (message[0] == '\0') || strlen(message) >= VALIDATOR_MESSAGE_MAX)
		abort();
	for (; *message; message++)
		if (*message < 0x20 || *message == 0x7f)
			abort();
}

static void fuzz_flags(const uint8_t *data, size_t len)
{
	char word[64];
	struct validator_flags flags;
	struct err e;

	snprintf(word, sizeof(word), "%.*s", (int)(len < 63 ? len : 63), (const char *)data);
	(void)validator_flags_parse((const char *[]){"float_tolerance", word, NULL}, &flags, &e);
	(void)validator_flags_parse((const char *[]){word, NULL}, &flags, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char message[VALIDATOR_MESSAGE_MAX];
	struct validator_flags flags;
	struct err e;
	const char *text = (const char *)data + 1;
	const char *cut;
	size_t answer;

	if (len < 1)
		return 0;
	fuzz_flags(data, len);
	if (validator_flags_parse(choices[data[0] % 6], &flags, &e) < 0)
		abort();
	len--;
	cut = memchr(text, 0xff, len);
	answer = cut ? (size_t)(cut - text) : len;
	check_message(message, (message[0] = '\0',
				validator_compare(&flags, text, answer, cut ? cut + 1 : text,
						  cut ? len - answer - 1 : len, message)));
	if (!validator_compare(&flags, text, len, text, len, message))
		abort();
	return 0;
}
