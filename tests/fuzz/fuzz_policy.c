#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/policy_rules.h"
#include "tests/policy_model.h"

struct input {
	const uint8_t *data;
	size_t len;
};

/* Any bytes as the policy; it may include "more", a constant text, and nothing else. */
static int open_input(void *ctx, const char *name, char **text, size_t *len, struct err *e)
{
	static const char more[] = "getpid: allow\nioctl: errno ENOTTY\n@include fuzz\n";
	const struct input *in = ctx;
	bool main_file = strcmp(name, "fuzz") == 0;

	if (!main_file && strcmp(name, "more") != 0)
		return err_set(e, "no file called %s", name);
	*len = main_file ? in->len : sizeof(more) - 1;
	*text = malloc(*len + 1);
	if (!*text)
		return err_sys(e, "fuzz");
	if (*len > 0)
		memcpy(*text, main_file ? (const char *)in->data : more, *len);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct policy_rules rules;
	struct input in = {data, len};
	struct policy_source src = {.dir = "fuzz", .open = open_input, .ctx = &in};
	struct sock_fprog prog = {0};
	struct err e = {0};

	if (len > POLICY_MAX_FILE_BYTES)
		return -1;
	if (policy_parse(&rules, "fuzz", &src, &e) < 0) {
		if (e.msg[0] == '\0')
			abort();
		return 0;
	}
	if (policy_compile(&rules, &prog, &e) == 0 && !model_agrees(&rules, &prog))
		abort();
	free(prog.filter);
	return 0;
}
