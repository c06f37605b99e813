#include "judge/transcript.h"

#include "judge/text.h"
#include "proto/err.h"
#include "proto/scope.h"

#define CUT      "[the rest is left out]\n"
#define CLEAN_BY 3 /* a byte that is no text becomes a character of three */

int transcript_init(struct transcript *t, size_t max, struct err *e)
{
	*t = (struct transcript){.text = malloc(max), .max = max};
	return t->text ? 0 : err_set(e, "out of memory");
}

void transcript_release(struct transcript *t)
{
	free(t->text);
	*t = (struct transcript){.text = NULL};
}

static void put(struct transcript *t, const char *data, size_t len)
{
	size_t fits = len < t->max - t->len ? len : t->max - t->len;

	memcpy(t->text + t->len, data, fits);
	t->len += fits;
	t->full |= fits < len;
}

static void end_line(struct transcript *t)
{
	if (t->side)
		put(t, "\n", 1);
	t->side = 0;
}

void transcript_add(struct transcript *t, enum transcript_side side, const char *data, size_t len)
{
	const char mark = (char)side;

	if (t->side != mark)
		end_line(t);
	while (len > 0 && !t->full) {
		const char *newline = memchr(data, '\n', len);
		size_t n = newline ? (size_t)(newline - data) + 1 : len;

		if (!t->side)
			put(t, &mark, 1);
		put(t, data, n);
		t->side = mark;
		if (newline)
			t->side = 0;
		data += n;
		len -= n;
	}
}

void transcript_pass(struct transcript *t)
{
	end_line(t);
	put(t, "---\n", strlen("---\n"));
}

char *transcript_text(const struct transcript *t)
{
	char *clean = text_clean(t->text, t->len, t->max * CLEAN_BY);
	char *text;

	if (!clean || (!t->side && !t->full))
		return clean;
	if (asprintf(&text, "%s\n%s", clean, t->full ? CUT : "") < 0)
		text = NULL;
	free(clean);
	return text;
}
