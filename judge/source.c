#include "judge/source.h"

#include "judge/compile.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

/* What people hand in by mistake, told by how it begins. */
static const struct magic {
	const char *bytes, *what;
	size_t len;
} magics[] = {
	{"\177ELF", "a compiled program, not its source", 4},
	{"MZ\220", "a Windows program, not its source", 3},
	{"\312\376\272\276", "a compiled Java class, not its source", 4},
	{"PK\3\4", "a zip archive (or jar, or office document), not source", 4},
	{"\037\213", "a gzip archive, not source", 2},
	{"%PDF-", "a PDF document, not source", 5},
	{"\377\376", "UTF-16 text: save it as UTF-8", 2},
	{"\376\377", "UTF-16 text: save it as UTF-8", 2},
};

static int begins(const struct compile_source *s, const char *bytes, size_t len)
{
	return s->len >= len && memcmp(s->data, bytes, len) == 0;
}

int source_check(const struct compile_source *s, struct err *e)
{
	const char *text = s->data, *nul;
	size_t line = 1;

	for (size_t i = 0; i < ARRAY_LEN(magics); i++)
		if (begins(s, magics[i].bytes, magics[i].len))
			return err_set(e, "%s: is %s", s->name, magics[i].what);
	nul = s->len ? memchr(text, '\0', s->len) : NULL;
	if (!nul)
		return 0;
	for (const char *p = text; p < nul; p++)
		line += *p == '\n';
	return err_set(e, "%s:%zu: a NUL byte: this is no text file", s->name, line);
}

static int has_windows_lines(const char *text, size_t len)
{
	return len > 0 && memmem(text, len, "\r\n", 2) != NULL;
}

int source_memfd(const struct compile_source *s, struct err *e)
{
	AUTO_FREE char *plain = NULL;
	const char *text = s->data;
	size_t len = s->len, n = 0;

	if (begins(s, "\357\273\277", 3)) {
		text += 3;
		len -= 3;
	}
	if (!has_windows_lines(text, len))
		return io_memfd_of(text, len, e);
	plain = malloc(len);
	if (!plain)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < len; i++)
		if (text[i] != '\r' || i + 1 == len || text[i + 1] != '\n')
			plain[n++] = text[i];
	return io_memfd_of(plain, n, e);
}
