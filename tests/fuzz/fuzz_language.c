/*
 * A language rule from any bytes.  A rule that is taken can also be used: its commands expand.
 */
#include <stddef.h>
#include <stdint.h>

#include "judge/language.h"
#include "proto/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const names[] = {"main.x", "a.x", "lib.h"};
	struct language l;
	struct err e = {0};

	if (language_parse("x.yaml", (const char *)data, len, &l, &e) < 0) {
		if (strncmp(e.msg, "x.yaml:", 7) != 0)
			abort();
	} else {
		language_argv_free(language_run_argv(&l, names, 3, 1 << 28, &e));
		if (l.compile.command)
			language_argv_free(language_compile_argv(&l, names, 3, 1 << 28, &e));
		language_set_found(&l, (const char *)data, len);
	}
	language_release(&l);
	return 0;
}
