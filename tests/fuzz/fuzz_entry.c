/* Sources of contestants, looked through for where they begin: the first byte chooses the language. */
#include <stddef.h>
#include <stdint.h>

#include "judge/compile.h"
#include "judge/entry.h"
#include "judge/language.h"
#include "judge/source.h"
#include "proto/err.h"
#include "proto/scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const kinds[] = {"java", "kotlin", "scala", "groovy", "haxe", "erlang"};
	static char *extensions[] = {"x", NULL};
	struct language l = {.name = "x", .extensions = extensions};
	struct compile_source sources[] = {{"a.x", data + 1, size / 2}, {"main.x", NULL, 0}};
	struct entry entry;
	struct err e = {0};

	if (size == 0)
		return 0;
	sources[1].data = data + 1 + size / 2;
	sources[1].len = size - 1 - size / 2;
	l.entry = (char *)kinds[data[0] % ARRAY_LEN(kinds)];
	(void)source_check(&sources[0], &e);
	for (size_t n = 1; n <= 2; n++)
		if (entry_find(&l, sources, n, &entry, &e) == 0)
			entry_release(&entry);
	return 0;
}
