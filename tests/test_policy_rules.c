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

static const char rules_dir[] = "rules/seccomp";
static const char *const policies[] = {"base", "native", "managed", "compiler", "network"};

static struct policy_rules rules;

/* Reads a shipped policy through policy_load(), and again as rules. */
static int open_rules(void *ctx, const char *name, char **text, size_t *len, struct err *e)
{
	char path[256];
	FILE *in;

	(void)ctx;
	snprintf(path, sizeof(path), "%s/%s.policy", rules_dir, name);
	in = fopen(path, "re");
	if (!in)
		return err_sys(e, "open %s", path);
	*text = malloc(POLICY_MAX_FILE_BYTES);
	*len = fread(*text, 1, POLICY_MAX_FILE_BYTES, in);
	fclose(in);
	return 0;
}

static void parse_shipped(const char *name)
{
	struct policy_source src = {.dir = rules_dir, .open = open_rules};
	struct err e = {0};

	cr_assert(zero(int, policy_parse(&rules, name, &src, &e)), "%s", e.msg);
}

Test(policy_shipped, filters_do_what_the_text_says)
{
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		struct policy p;
		struct err e = {0};

		cr_assert(zero(int, policy_load(&p, rules_dir, policies[i], &e)), "%s", e.msg);
		parse_shipped(policies[i]);
		cr_expect(model_agrees(&rules, &p.prog), "%s", policies[i]);
		cr_expect(lt(int, p.prog.len, 320), "%s takes longer to install", policies[i]);
		cr_expect(eq(str, p.name, (char *)policies[i]));
		policy_release(&p);
		policy_release(&p);
	}
}

/* A call nobody thought about must not slip in with a new library or kernel. */
Test(policy_shipped, every_known_call_is_decided)
{
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		parse_shipped(policies[i]);
		for (int nr = 0; nr <= 1000; nr++) {
			AUTO_FREE char *name =
				seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);
			bool found = false;
			/* Below 424 the numbers of x86-64 have gaps; libseccomp knows what is there. */
			bool unified = nr >= 424 && nr <= POLICY_CALLS_LAST;

			for (size_t r = 0; r < rules.nrules; r++)
				found |= rules.rules[r].nr == nr;
			cr_expect(found || (!name && !unified), "%s does not mention %d, %s",
				  policies[i], nr, name ? name : "which libseccomp does not know");
			cr_expect(nr <= POLICY_CALLS_LAST || !name,
				  "%s is younger than POLICY_CALLS_LAST", name);
		}
	}
}

/* Neither is a call of a kernel that nobody here has seen. */
Test(policy_shipped, calls_of_the_future_do_not_exist)
{
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		parse_shipped(policies[i]);
		for (int nr = POLICY_CALLS_LAST + 1; nr < 2000; nr++) {
			struct seccomp_data d = {.arch = MODEL_ARCH, .nr = nr};

			cr_expect(eq(u32, model_decide(&rules, &d), SECCOMP_RET_ERRNO | ENOSYS),
				  "%s: %d", policies[i], nr);
		}
	}
}

/* What the jailed child does between installing the filter and becoming the program. */
Test(policy_shipped, the_jail_can_finish)
{
	static const char *const needed[] = {
		"sendmsg", "recvmsg",    "poll",  "fcntl",     "dup2",          "close_range",
		"close",   "chdir",      "fstat", "prlimit64", "clock_gettime", "brk",
		"munmap",  "exit_group", "mmap",  "execve",    "execveat",      "getcwd"};

	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		parse_shipped(policies[i]);
		for (size_t k = 0; k < ARRAY_LEN(needed); k++) {
			struct seccomp_data d = {.arch = MODEL_ARCH,
						 .nr = seccomp_syscall_resolve_name(needed[k])};

			cr_expect(eq(u32, model_decide(&rules, &d), SECCOMP_RET_ALLOW), "%s: %s",
				  policies[i], needed[k]);
		}
	}
}

Test(policy_load, keeps_the_text_of_every_file)
{
	struct policy p;
	struct err e = {0};

	cr_assert(zero(int, policy_load(&p, rules_dir, "native", &e)), "%s", e.msg);
	cr_expect(zero(int, strncmp(p.text, "# native\n# Programs", 19)));
	cr_expect(ne(ptr, memmem(p.text, p.text_len, "\n# never\n", 9), NULL));
	cr_expect(ne(ptr, memmem(p.text, p.text_len, "ptrace: kill", 12), NULL));
	policy_release(&p);
}

static void expect_load_error(const char *dir, const char *name, const char *message)
{
	struct policy p;
	struct err e = {0};

	cr_expect(eq(int, policy_load(&p, dir, name, &e), -1));
	cr_expect(ne(ptr, strstr(e.msg, message), NULL), "got: %s", e.msg);
	cr_expect(eq(ptr, p.prog.filter, NULL));
	cr_expect(eq(ptr, p.text, NULL));
}

Test(policy_load, refuses_what_is_no_policy_file)
{
	char dir[] = "/tmp/policyXXXXXX", path[64], *big = calloc(1, 70000);
	static char folder[5000];
	FILE *out;

	expect_load_error(rules_dir, "", "expected 1 to 63 characters of [a-z0-9_-]");
	expect_load_error(rules_dir, "../seccomp/base", "expected 1 to 63 characters");
	expect_load_error(rules_dir, "Base", "policy name 'Base': expected 1 to 63 characters");
	expect_load_error(rules_dir, "none", "open rules/seccomp/none.policy: No such file");
	memset(folder, 'd', sizeof(folder) - 1);
	expect_load_error(folder, "base", "the name of its folder is too long");

	cr_assert(ne(ptr, mkdtemp(dir), NULL));
	snprintf(path, sizeof(path), "%s/x.policy", dir);
	cr_assert(zero(int, mkdir(path, 0700)));
	expect_load_error(dir, "x", "expected a regular file");
	rmdir(path);
	out = fopen(path, "we");
	memset(big, '\n', 70000);
	fwrite(big, 1, 70000, out);
	fclose(out);
	expect_load_error(dir, "x", "expected at most 65536 bytes");
	unlink(path);
	rmdir(dir);
	free(big);
}
