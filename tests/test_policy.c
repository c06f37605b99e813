#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/policy.h"
#include "sandbox/policy_rules.h"
#include "tests/policy_model.h"

/* Policy files in memory; \1 in a text stands for NUL. */
struct file {
	const char *name;
	const char *text;
};

static int open_memory(void *ctx, const char *name, char **text, size_t *len, struct err *e)
{
	for (const struct file *f = ctx; f->name; f++) {
		if (strcmp(f->name, name) != 0)
			continue;
		*text = strdup(f->text);
		*len = strlen(f->text);
		for (size_t i = 0; i < *len; i++)
			if ((*text)[i] == '\1')
				(*text)[i] = '\0';
		return 0;
	}
	errno = ENOENT;
	return err_sys(e, "open t/%s.policy", name);
}

static struct policy_rules rules;

static int parse(struct file *files, struct err *e)
{
	struct policy_source src = {.dir = "t", .open = open_memory, .ctx = files};

	return policy_parse(&rules, files[0].name, &src, e);
}

static void expect_error(struct file *files, const char *message)
{
	struct err e = {0};

	cr_expect(eq(int, parse(files, &e), -1), "accepted: %.60s", files[0].text);
	cr_expect(eq(str, e.msg, (char *)message));
}

Test(policy_text, errors_name_the_line_and_what_is_expected)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
		{"", "t/x.policy: no rules; expected lines such as 'read: allow'"},
		{"# nothing\n\n", "t/x.policy: no rules; expected lines such as 'read: allow'"},
		{"read: allow\n\nraed: allow\n",
		 "t/x.policy:3: unknown system call 'raed'; expected a name of syscalls(2)"},
		{"read allow",
		 "t/x.policy:1: expected ':' after the name of the call, found 'allow'"},
		{"read", "t/x.policy:1: expected ':' after the name of the call, found the end of "
			 "the line"},
		{": allow", "t/x.policy:1: expected 'CALL: ACTION', '@include NAME' or a comment, "
			    "found ': allow'"},
		{"read:", "t/x.policy:1: expected 'allow', 'kill' or 'errno NAME', found the end "
			  "of the line"},
		{"read: deny",
		 "t/x.policy:1: expected 'allow', 'kill' or 'errno NAME', found 'deny'"},
		{"read: errno 5", "t/x.policy:1: expected an error name such as EPERM or ENOSYS "
				  "after 'errno', found '5'"},
		{"read: errno ENOPE", "t/x.policy:1: expected an error name such as EPERM or "
				      "ENOSYS after 'errno', found 'ENOPE'"},
		{"read: allow 1", "t/x.policy:1: expected 'if' or the end of the line, found '1'"},
		{"read: allow if", "t/x.policy:1: expected an argument, int0 to int5 or arg0 to "
				   "arg5, found the end of the line"},
		{"read: allow if arg6 == 1", "t/x.policy:1: expected an argument, int0 to int5 or "
					     "arg0 to arg5, found 'arg6 == 1'"},
		{"read: allow if arg1 = 1",
		 "t/x.policy:1: expected '&', '==' or '!=', found '= 1'"},
		{"read: allow if arg1 == ", "t/x.policy:1: expected a number or a constant of "
					    "policy_symbols.c, found the end of the line"},
		{"read: allow if arg1 == 0x", "t/x.policy:1: expected a number or a constant of "
					      "policy_symbols.c, found '0x'"},
		{"read: allow if arg1 == 0x10000000000000000",
		 "t/x.policy:1: expected a number or a constant of policy_symbols.c, found "
		 "'0x10000000000000000'"},
		{"read: allow if arg1 == -1", "t/x.policy:1: expected a number or a constant of "
					      "policy_symbols.c, found '-1'"},
		{"read: allow if arg1 == AF_UNIX|NO",
		 "t/x.policy:1: expected a number or a constant of policy_symbols.c, found 'NO'"},
		{"read: allow if arg1 & 0 == 0",
		 "t/x.policy:1: mask 0x0 is empty, the condition says nothing"},
		{"read: allow if int1 & 0x100000000 == 0",
		 "t/x.policy:1: mask 0x100000000 is wider than 32 bits; write argN for the whole "
		 "argument"},
		{"read: allow if int1 == 0x100000000",
		 "t/x.policy:1: value 0x100000000 can never occur under mask 0xffffffff"},
		{"read: allow if arg1 & 6 == 1",
		 "t/x.policy:1: value 0x1 can never occur under mask 0x6"},
		{"read: allow if arg1 == 1 arg2 == 1",
		 "t/x.policy:1: expected '&&' or the end of the line, found 'arg2 == 1'"},
		{"read: allow if arg0 == 1 && arg0 == 1 && arg0 == 1 && arg0 == 1 && arg0 == 1 && "
		 "arg0 == 1 && arg0 == 1",
		 "t/x.policy:1: more than 6 conditions; use several lines"},
		{"read: allow\nread: errno EPERM\n",
		 "t/x.policy:2: contradicts x.policy:1, which answers the same call otherwise; "
		 "remove one of the two"},
		{"read: allow if int0 == 1\nread: kill if int0 == 1\n",
		 "t/x.policy:2: contradicts x.policy:1, which answers the same call otherwise; "
		 "remove one of the two"},
		{"@include\n", "t/x.policy:1: expected the name of a policy in [a-z0-9_-] after "
			       "'@include', found the end of the line"},
		{"@include ../x\n", "t/x.policy:1: expected the name of a policy in [a-z0-9_-] "
				    "after '@include', found '../x'"},
		{"@include gone\n", "t/x.policy:1: open t/gone.policy: No such file or directory"},
		{"@include x\n", "t/x.policy:1: 'x' includes itself"},
		{"read: allow\r\n",
		 "t/x.policy:1: byte 0x0d; expected printable ASCII, with lines ended by \\n"},
		{"# caf\xc3\xa9\nr\xc3\xa9"
		 "ad: allow",
		 "t/x.policy:2: byte 0xc3; expected printable ASCII, with lines ended by \\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect_error((struct file[]){{"x", cases[i].text}, {NULL, NULL}}, cases[i].message);
}

Test(policy_text, nul_bytes_and_long_lines_are_refused)
{
	char line[10001];

	expect_error((struct file[]){{"x", "read: allow\nwri\1te: allow\n"}, {NULL, NULL}},
		     "t/x.policy:2: byte 0x00; expected printable ASCII, with lines ended by \\n");
	memset(line, 'a', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	expect_error((struct file[]){{"x", line}, {NULL, NULL}},
		     "t/x.policy:1: line of 10000 bytes; expected at most 512");
	memset(line, 'a', 500);
	line[500] = '\0';
	struct err e = {0};
	cr_expect(eq(int, parse((struct file[]){{"x", line}, {NULL, NULL}}, &e), -1));
	cr_expect(eq(ptr, strstr(e.msg, "t/x.policy:1: unknown system call 'aaa"), e.msg));
}

Test(policy_text, includes_are_read_once_and_may_not_loop)
{
	struct err e = {0};

	cr_assert(zero(int, parse((struct file[]){{"x", "@include a\n@include b\n"},
						  {"a", "@include b\nwrite: allow"},
						  {"b", "read: allow\n"},
						  {NULL, NULL}},
				  &e)),
		  "%s", e.msg);
	cr_expect(eq(sz, rules.nrules, 2));
	cr_expect(eq(u32, rules.nfiles, 3));
	expect_error((struct file[]){{"x", "@include a"},
				     {"a", "\n@include b"},
				     {"b", "read: allow\n\n@include a"},
				     {NULL, NULL}},
		     "t/b.policy:3: 'a' includes itself");
	expect_error((struct file[]){{"x", "read: allow\n@include a"},
				     {"a", "read: allow\nread: kill"},
				     {NULL, NULL}},
		     "t/a.policy:2: contradicts x.policy:1, which answers the same call otherwise; "
		     "remove one of the two");
}

Test(policy_text, include_depth_is_limited)
{
	expect_error((struct file[]){{"x", "@include a"},
				     {"a", "@include b"},
				     {"b", "@include c"},
				     {"c", "@include d"},
				     {"d", "@include e"},
				     {"e", "@include f"},
				     {"f", "@include g"},
				     {"g", "@include h"},
				     {"h", "read: allow"},
				     {NULL, NULL}},
		     "t/g.policy:1: includes are nested deeper than 8");
}

Test(policy_text, calls_of_other_architectures_are_skipped)
{
	struct err e = {0};
	struct file files[] = {{"x", "socketcall: kill\nmmap2: allow\nread: allow"}, {NULL, NULL}};

	cr_assert(zero(int, parse(files, &e)), "%s", e.msg);
	cr_expect(eq(sz, rules.nrules, 1));
}

/* What the compiled text answers to a call. */
static uint32_t answer(const char *text, int nr, uint64_t arg0, uint64_t arg1)
{
	struct seccomp_data d = {.nr = nr, .arch = MODEL_ARCH, .args = {arg0, arg1}};
	struct sock_fprog prog = {0};
	struct err e = {0};
	uint32_t got;

	cr_assert(zero(int, parse((struct file[]){{"x", text}, {NULL, NULL}}, &e)), "%s", e.msg);
	cr_assert(zero(int, policy_compile(&rules, &prog, &e)), "%s", e.msg);
	cr_expect(model_agrees(&rules, &prog), "filter and rules differ: %s", text);
	got = model_filter(&prog, &d);
	free(prog.filter);
	return got;
}

enum {
	ALLOW = SECCOMP_RET_ALLOW,
	NO_CALL = SECCOMP_RET_ERRNO | ENOSYS,
	DENY = SECCOMP_RET_ERRNO | EPERM,
	KILL = SECCOMP_RET_USER_NOTIF,
};

Test(policy_filter, conditions)
{
	static const uint64_t high = 1ULL << 32;
	static const struct {
		const char *text;
		uint64_t arg0, arg1;
		uint32_t answer;
	} cases[] = {
		{"read: allow", 7, 7, ALLOW},
		{"write: allow", 7, 7, NO_CALL},
		{"read: kill # why", 0, 0, KILL},
		{"read: allow if arg0 == 5", 5, 0, ALLOW},
		{"read: allow if arg0 == 5", high + 5, 0, NO_CALL},
		{"read: allow if int0 == 5", high + 5, 0, ALLOW},
		{"read:allow if int0==5", 6, 0, NO_CALL},
		{"\tread :\tallow if int0 != 5", 5, 0, NO_CALL},
		{"read: allow if int0 != 5", 6, 0, ALLOW},
		{"read: allow if arg0 != 5", high + 5, 0, ALLOW},
		{"read: allow if arg0 == 0x123456789abcdef0", 0x123456789abcdef0, 0, ALLOW},
		{"read: allow if arg0 == 0x123456789abcdef0", 0x123456799abcdef0, 0, NO_CALL},
		{"read: allow if arg0 & 0x7e020080 == 0", 0x1200011, 0, ALLOW},
		{"read: allow if arg0 & 0x7e020080 == 0", 0x10000011, 0, NO_CALL},
		{"read: errno EPERM if arg0 & 0x100000001 != 0", high, 0, DENY},
		{"read: errno EPERM if arg0 & 0x100000001 != 0", 2, 0, NO_CALL},
		{"read: allow if int0 & CLONE_NEWNS|CLONE_NEWUSER == CLONE_NEWUSER", 0x10000000, 0,
		 ALLOW},
		{"read: allow if int0 == 1 && int1 == 2", 1, 2, ALLOW},
		{"read: allow if int0 == 1 && int1 == 2", 1, 3, NO_CALL},
		{"read: allow if int0 == 1 && int1 == 2", 2, 2, NO_CALL},
		{"read: allow if int0 != 1 && int0 != 3", 3, 0, NO_CALL},
		{"read: allow if int0 != 1 && int0 != 3", 2, 0, ALLOW},
		{"read: allow if int0 == 1\nread: kill if int0 == 2\nread: errno EPERM", 1, 0,
		 ALLOW},
		{"read: allow if int0 == 1\nread: kill if int0 == 2\nread: errno EPERM", 2, 0,
		 KILL},
		{"read: errno EPERM\nread: allow if int0 == 1\nread: kill if int0 == 2", 3, 0,
		 DENY},
		{"read: allow if int0 & 1 == 1\nread: errno EPERM if int0 == 3", 3, 0, ALLOW},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect(eq(u32,
			     answer(cases[i].text, SCMP_SYS(read), cases[i].arg0, cases[i].arg1),
			     cases[i].answer),
			  "%s with 0x%lx", cases[i].text, cases[i].arg0);
}

#if defined(__x86_64__)
Test(policy_filter, other_abis_are_killed)
{
	cr_expect(eq(u32, answer("read: allow", 0x40000000, 0, 0), KILL));
	cr_expect(eq(u32, answer("read: allow", 0x40000208, 0, 0), KILL));
	cr_expect(eq(u32, answer("read: allow", -2, 0, 0), KILL));
	cr_expect(eq(u32, answer("read: allow", -1, 0, 0), NO_CALL));
	cr_expect(eq(u32, answer("read: allow", 999, 0, 0), NO_CALL));
}
#endif

/* Enough conditions that jumps must be relayed, then so many that no filter can hold them. */
Test(policy_filter, long_policies)
{
	static char text[POLICY_MAX_FILE_BYTES];
	static const int sizes[] = {100, 300, 1000};

	for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
		FILE *out = fmemopen(text, sizeof(text), "w");

		for (int i = 0; i < sizes[s]; i++)
			fprintf(out, "%s: allow if arg0 & 0xffffff == %d\n",
				i % 2 ? "read" : "exit_group", i);
		fprintf(out, "getpid: kill\n");
		fclose(out);
		cr_expect(eq(u32, answer(text, SCMP_SYS(read), 1, 0), ALLOW));
		cr_expect(eq(u32, answer(text, SCMP_SYS(getpid), 1, 0), KILL));
	}
	FILE *out = fmemopen(text, sizeof(text), "w");
	for (int i = 0; i < 700; i++)
		fprintf(out, "read: allow if arg0 == %d && arg1 == 7 && arg2 == 7\n", i);
	fclose(out);
	struct sock_fprog prog = {0};
	struct err e = {0};
	cr_assert(zero(int, parse((struct file[]){{"x", text}, {NULL, NULL}}, &e)), "%s", e.msg);
	cr_expect(eq(int, policy_compile(&rules, &prog, &e), -1));
	cr_expect(eq(str, e.msg,
		     "policy: needs more than the kernel's 4096 instructions; use fewer "
		     "conditions"));
}

Test(policy_filter, more_rules_than_fit_are_refused)
{
	static char text[POLICY_MAX_FILE_BYTES];
	FILE *out = fmemopen(text, sizeof(text), "w");

	for (int i = 0; i <= POLICY_MAX_RULES; i++)
		fprintf(out, "read: allow if arg0 == %d\n", i);
	fclose(out);
	expect_error((struct file[]){{"x", text}, {NULL, NULL}},
		     "t/x.policy:1025: more than 1024 rules");
}
