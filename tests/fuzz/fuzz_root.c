#include <stdint.h>
#include <stdlib.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/root.h"

/* Rules are only ever parsed by the privileged half, so a bad one must end in an error. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct root r = {0};
	struct err e = {0};

	if (root_parse(&r, (const char *)data, len, "default", &e) < 0) {
		if (e.msg[0] == '\0')
			abort();
	} else if (root_check(&r, &e) < 0) {
		abort();
	}
	root_release(&r);
	return 0;
}
