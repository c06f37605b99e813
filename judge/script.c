#include "judge/script.h"

#include "judge/language.h"
#include "judge/sandbox_client.h"
#include "proto/err.h"
#include "proto/scope.h"

#define BUILD_TIME_US      60000000
#define BUILD_MEMORY_BYTES (2048ULL << 20)
#define BUILD_BOX_BYTES    (256ULL << 20)
#define BUILD_OUTPUT_BYTES (1ULL << 20)
#define PROCESSES          64

static char build_name[] = "build", run_name[] = "run", policy[] = "compiler", none[] = "";
static char box_build[] = "/box/build", program_run[] = "/program/run";
static char path[] = "PATH=/usr/bin:/bin", home[] = "HOME=/tmp", locale[] = "LC_ALL=C.UTF-8";
static char *env[] = {path, home, locale, NULL};
static char *extensions[] = {none, NULL};
static char *build_command[] = {box_build, NULL}, *run_command[] = {program_run, NULL};

#define RUN                                                                                        \
	.run = {.command = run_command,                                                            \
		.policy = policy,                                                                  \
		.env = env,                                                                        \
		.processes = PROCESSES,                                                            \
		.time_factor = 1.0}

/* By the file that makes a folder such a program; build comes first, since it may make run. */
static struct language scripts[] = {
	{.name = (char[]){"package:build"},
	 .extensions = extensions,
	 .main = build_name,
	 .compile = {.command = build_command,
		     .policy = policy,
		     .env = env,
		     .time_us = BUILD_TIME_US,
		     .memory_bytes = BUILD_MEMORY_BYTES,
		     .box_bytes = BUILD_BOX_BYTES,
		     .output_bytes = BUILD_OUTPUT_BYTES,
		     .processes = PROCESSES},
	 RUN,
	 .available = 1},
	{.name = (char[]){"package:run"},
	 .extensions = extensions,
	 .main = run_name,
	 RUN,
	 .available = 1},
};

int script_is(const char *file)
{
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
		if (strcmp(scripts[i].main, file) == 0)
			return 1;
	return 0;
}

const struct language *script_of(const char *const *names, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
		for (size_t k = 0; k < n; k++)
			if (strcmp(scripts[i].main, names[k]) == 0)
				return &scripts[i];
	return NULL;
}

const struct language *script_or_rule(const struct languages *all, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
		if (strcmp(scripts[i].name, name) == 0)
			return &scripts[i];
	return languages_find(all, name);
}

int script_is_language(const struct language *l)
{
	return l >= scripts && l < scripts + ARRAY_LEN(scripts);
}

int script_check(const struct language *l, const struct sandbox_file *files, size_t n,
		 struct err *e)
{
	if (!script_is_language(l))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (strcmp(files[i].name, run_name) == 0 && files[i].mode & 0111)
			return 0;
	return err_set(e, "build left no executable file called run");
}
