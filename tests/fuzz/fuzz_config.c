/*
 * judge.yaml from any bytes; what is refused is refused with the place, and what is left behind can be released.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge/config.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct config c;
	struct err e = {0};
	char path[32];
	AUTO_CLOSE int fd = io_memfd_of((const char *)data, len, &e);

	if (fd < 0 || config_init(&c, &e) < 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (config_load(&c, path, &e) < 0) {
		if (strncmp(e.msg, path, strlen(path)) != 0)
			abort();
	} else if (config_check(&c, &e) < 0 && e.msg[0] == '\0') {
		abort();
	}
	config_release(&c);
	return 0;
}
