/*
 * problem.yaml and manifests from any bytes; what is refused is refused with the place.
 */
#include <stddef.h>
#include <stdint.h>

#include "judge/problem.h"
#include "judge/problem_parts.h"
#include "proto/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct problem_settings s;
	struct problem p;
	struct err e = {0};
	char *text;

	if (problem_parse_settings((const char *)data, len, &s, &e) < 0 &&
	    strncmp(e.msg, "problem.yaml:", 13) != 0)
		abort();
	problem_settings_release(&s);

	text = strndup((const char *)data, len);
	if (text && problem_from_manifest(text, &p, &e) == 0) {
		free(problem_to_manifest(&p));
		problem_release(&p);
	}
	free(text);
	return 0;
}
