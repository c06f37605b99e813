#include "judge/probe.h"

#include <sys/random.h>

#include "judge/hash.h"
#include "judge/language.h"
#include "judge/sandbox_client.h"
#include "judge/text.h"
#include "proto/err.h"
#include "proto/scope.h"

#define TEXT_MAX 4096

static int has_words(const char *text)
{
	return text && text[strspn(text, " \t\n")] != '\0';
}

/* The version is the first line that says something; some programs print theirs on stderr. */
static int take_version(struct language *l, const struct sandbox_report *r, struct err *e)
{
	AUTO_FREE char *out = NULL;
	AUTO_FREE char *err = NULL;
	char why[384];

	if (r->status != RUN_EXITED || r->exit_code != 0) {
		snprintf(why, sizeof(why), "%s: %s", l->version[0],
			 r->status == RUN_EXITED ? "exit code is not 0"
			 : r->message[0]         ? r->message
						 : "did not end by itself");
		language_set_missing(l, why);
		return 0;
	}
	if (text_clean_fd(r->stdout_fd, TEXT_MAX, &out, e) < 0 ||
	    text_clean_fd(r->stderr_fd, TEXT_MAX, &err, e) < 0)
		return -1;
	if (has_words(out))
		language_set_found(l, out, strlen(out));
	else if (has_words(err))
		language_set_found(l, err, strlen(err));
	else
		language_set_missing(l, "the version command prints nothing");
	return 0;
}

static int probe(struct sandbox_client *c, struct language *l, struct err *e)
{
	int compiled = l->compile.command != NULL;
	struct sandbox_spec s = {
		.policy = compiled ? l->compile.policy : l->run.policy,
		.argv = (const char *const *)l->version,
		.env = (const char *const *)(compiled ? l->compile.env : l->run.env),
		.cpu_time_us = 10000000,
		.wall_time_us = 30000000,
		.memory_bytes = 1ULL << 30,
		.output_bytes = 1 << 20,
		.box_bytes = 16 << 20,
		.processes = 64,
		.stdin_fd = -1,
	};
	struct sandbox_report r;
	int rc;

	if (sandbox_client_run(c, &s, &r, e) < 0) {
		if (sandbox_client_lost(c))
			return err_wrap(e, "language %s", l->name);
		language_set_missing(l, e->msg); /* its policy is not there, or is broken */
		return 0;
	}
	rc = take_version(l, &r, e);
	sandbox_report_release(&r);
	return rc;
}

/* The folders that compilers and runtimes are installed in.  Of packages that are nowhere else, there is the folder of their licence. */
static const char *const toolchain_command[] = {
	"/usr/bin/find",  "/usr/bin",   "/usr/lib", "/usr/libexec", "/usr/share/java",
	"/usr/share/doc", "/usr/local", "-xdev",    "-maxdepth",    "3",
	"-type",          "d",          "-printf",  "%p %T@ %C@\n", NULL,
};

/* Nothing is known of the next process then: what this one keeps is good for itself only. */
static int set_random(char *hash, struct err *e)
{
	unsigned char bytes[32];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return err_sys(e, "getrandom");
	return hash_bytes(bytes, sizeof(bytes), hash, e);
}

/* find(1) fails for each folder that there is not, and goes on. */
static int take_toolchain(const struct sandbox_report *r, char *hash, struct err *e)
{
	uint64_t bytes = 0;

	if (r->status == RUN_EXITED && r->exit_code <= 1 &&
	    hash_fd(r->stdout_fd, UINT64_MAX, hash, &bytes, e) < 0)
		return -1;
	return bytes > 0 ? 0 : set_random(hash, e);
}

static int probe_toolchain(struct sandbox_client *c, char *hash, struct err *e)
{
	static const char *const env[] = {"LC_ALL=C", NULL};
	struct sandbox_spec s = {
		.policy = "compiler",
		.argv = toolchain_command,
		.env = env,
		.cpu_time_us = 20000000,
		.wall_time_us = 60000000,
		.memory_bytes = 256 << 20,
		.output_bytes = 64 << 20,
		.processes = 4,
		.stdin_fd = -1,
	};
	struct sandbox_report r;
	int rc;

	if (sandbox_client_run(c, &s, &r, e) < 0)
		return sandbox_client_lost(c) ? err_wrap(e, "toolchain") : set_random(hash, e);
	rc = take_toolchain(&r, hash, e);
	sandbox_report_release(&r);
	return rc;
}

int probe_languages(struct sandbox_client *c, struct languages *all, struct err *e)
{
	for (size_t i = 0; i < all->n; i++)
		if (probe(c, &all->items[i], e) < 0)
			return -1;
	return probe_toolchain(c, all->toolchain, e);
}
