/*
 * options.h - the command line of `sandbox run`: a table of options, each with its parser, unit and range.
 *
 * Parsing touches nothing but the texts of argv, which it may cut in place; every pointer in the result is into argv.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct err;

#define OPTIONS_PAIRS_MAX 64
#define OPTIONS_ENV_MAX   256

struct options_pair {
	const char *from, *to;
	int writable; /* --mount SRC:DST:rw */
};

struct options_pairs {
	struct options_pair at[OPTIONS_PAIRS_MAX];
	size_t n;
};

enum options_action { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION };

/* Numbers left at 0 mean: not given, the default holds.  Texts left NULL likewise. */
struct options {
	enum options_action action;
	uint64_t cpu_time_us, wall_time_us;
	uint64_t memory_bytes, output_bytes, box_bytes, stack_bytes;
	uint64_t processes, box_inodes, open_files, cpu_milli;
	int64_t pin_cpu; /* 1 + number of the CPU, -1: any */
	char *network, *network_group, *root, *root_cache, *chdir, *policy, *rules;
	char *stdin_path, *stdout_path, *stderr_path, *report;
	struct options_pairs mounts, copy_in, copy_out;
	char *env[OPTIONS_ENV_MAX];
	size_t nenv;
	char **argv; /* the program and its arguments, NULL-terminated */
	size_t argc;
};

/* Reads "sandbox run ..." or "sandbox --help|--version".  The error names the option and what would be right. */
int options_parse(struct options *o, int argc, char **argv, struct err *e);

/* The text of --help, written from the same table. */
void options_usage(FILE *to);

#endif
