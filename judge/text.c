#include "judge/text.h"

#include <errno.h>
#include <stdint.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "proto/wire.h"

static const char replacement[] = "\xef\xbf\xbd";

static size_t sequence_len(unsigned char lead)
{
	return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/*
 * U+0000 to U+001F without newline and tab, U+007F to U+009F; and what changes the order or the lines of the text that follows:
 * U+2028 to U+202E, U+2066 to U+2069.
 */
static int is_control(const uint8_t *p)
{
	if (p[0] == 0xc2)
		return p[1] < 0xa0;
	if (p[0] == 0xe2)
		return (p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) ||
		       (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9);
	return (p[0] < 0x20 && p[0] != '\n' && p[0] != '\t') || p[0] == 0x7f;
}

/* Takes one character off the input; returns what to write for it and how long that is. */
static const char *next(const uint8_t **p, size_t *left, size_t *good, size_t *len)
{
	const uint8_t *at = *p;
	size_t taken = 1;
	int fine;

	if (*good == 0)
		*good = wire_utf8_prefix(at, *left);
	fine = *good > 0;
	if (fine) {
		taken = sequence_len(at[0]);
		*good -= taken;
		fine = !is_control(at);
	}
	*p += taken;
	*left -= taken;
	*len = fine ? taken : sizeof(replacement) - 1;
	if (at[0] == '\r' && *left > 0 && **p == '\n')
		*len = 0;
	return fine ? (const char *)at : replacement;
}

char *text_clean(const void *data, size_t len, size_t max)
{
	const uint8_t *p = data;
	size_t used = 0;
	size_t good = 0;
	/* A byte may become three. */
	size_t room = len < max / 3 ? len * 3 : max;
	char *out = malloc(room + 1);

	while (out && len > 0) {
		size_t n;
		const char *piece = next(&p, &len, &good, &n);

		if (used + n > room)
			break;
		memcpy(out + used, piece, n);
		used += n;
	}
	if (out)
		out[used] = '\0';
	return out;
}

int text_clean_fd(int fd, size_t max, char **out, struct err *e)
{
	AUTO_FREE char *raw = malloc(max + 4);
	size_t used = 0;
	ssize_t n = 1;

	if (!raw)
		return err_set(e, "out of memory");
	while (n > 0 && used < max + 4) {
		n = pread(fd, raw + used, max + 4 - used, (off_t)used);
		if (n < 0 && errno != EINTR)
			return err_sys(e, "read");
		used += n > 0 ? (size_t)n : 0;
	}
	*out = text_clean(raw, used, max);
	return *out ? 0 : err_set(e, "out of memory");
}

char *text_copy(const char *text)
{
	return strdup(text ? text : "");
}
