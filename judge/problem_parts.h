/*
 * problem_parts.h - what the files that read a package tell each other; callers of problem.h need none of it.
 *
 * Reading order: problem_yaml.c (problem.yaml and the time limit), problem_data.c (tests), problem_programs.c (validator),
 * problem_submissions.c, problem_groups.c, problem_polygon.c (all of these for the other format), problem.c (all together),
 * problem_manifest.c and problem_manifest_groups.c, problem_import.c.
 */
#ifndef PROBLEM_PARTS_H
#define PROBLEM_PARTS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "judge/problem.h"

struct doc;
struct doc;
struct err;
struct package_entry;

#define PROBLEM_FILE_MAX    (256U << 20) /* bytes of one file */
#define PROBLEM_TOTAL_MAX   (4ULL << 30) /* of all tests */
#define PROBLEM_CASES_MAX   10000
#define PROBLEM_DEPTH_MAX   8
#define PROBLEM_GROUPS_MAX  1000
#define PROBLEM_SOURCES_MAX 64 /* files of one program */

enum problem_format { PROBLEM_LEGACY, PROBLEM_LEGACY_ICPC, PROBLEM_2025_09 };

/* problem.yaml, as far as the other parts need it; released by problem_settings_release(). */
struct problem_settings {
	enum problem_format format;
	char *title;                             /* NULL: not given */
	unsigned kind;                           /* bits of problem_kind */
	int custom;                              /* `validation: custom` of a legacy package */
	int custom_score, minimize, show_groups; /* of a scoring problem, as in struct problem */
	char **args;                             /* validator_flags in words, NULL-terminated */
	unsigned args_line;
	struct problem_limits limits;
	struct problem_timing timing;
	char **languages; /* 2025-09; NULL: all */
	struct problem_constants constants;
	unsigned time_line;   /* where the time limit is in problem.yaml, 0: it is not */
	struct problem_text { /* as it stands there */
		char *format, *type, *validation, *flags, *objective, *other;
		double number;
		int flag;
	} text;
};

/* Reads problem.yaml, .timelimit and domjudge-problem.ini of the package. */
int problem_read_settings(const struct problem *p, struct problem_settings *s, struct err *e);
void problem_settings_release(struct problem_settings *s);

/* problem.yaml alone, from its text; *s is to be released after -1 too. */
int problem_parse_settings(const char *text, size_t len, struct problem_settings *s, struct err *e);

/*
 * A new group in p->groups, behind all others, with what a package that says nothing about it gets: the default grader, and an
 * end at the first test that is not accepted.  Takes a copy of the name.  NULL: too many, or out of memory.
 */
struct problem_group *problem_group_add(struct problem *p, const char *name, size_t parent,
					struct err *e);
void problem_group_release(struct problem_group *g); /* frees what is in it */

/* testdata.yaml and test_group.yaml as they stand there; NULL: not given.  require_pass is read from the tree. */
struct problem_group_keys {
	char *on_reject, *grading, *grader_flags, *accept_score, *reject_score, *range; /* legacy */
	char *max_score, *aggregation; /* 2025-09 */
};

/*
 * Fills a group that was just added from its file; d is NULL when it has none, path then names it in errors.  p->kind and p->grader
 * must be known.
 */
int problem_group_read(struct problem *p, const struct problem_settings *s, size_t index,
		       const struct problem_group_keys *k, const struct doc *d, const char *path,
		       struct err *e);

/* What can only be said of the groups when all tests are known. */
int problem_groups_check(const struct problem *p, struct err *e);

/* Fills p->groups and p->cases. */
int problem_read_data(struct problem *p, const struct problem_settings *s, struct err *e);

/* Fills p->includes; p->languages is known. */
int problem_read_includes(struct problem *p, const struct problem_settings *s, struct err *e);

/* All files of a folder, which may be missing; appends to *files.  is_source: constants are for them. */
int problem_read_files(const struct problem *p, const char *folder, int is_source,
		       struct problem_file **files, size_t *n, struct err *e);

/* What a file of a group or a test says of input validators replaces *words, see problem_case.input_args. */
int problem_read_input_args(const struct doc *d, char ***words, struct err *e);

/* Fills p->input_validators.  One that cannot be read is warned of: submissions are judged without it. */
int problem_read_input_validators(struct problem *p, struct err *e);

/* Fills p->submissions. */
int problem_read_submissions(struct problem *p, const struct problem_settings *s, struct err *e);

/* A program of a folder, which is a file or a folder of files; appends to *files. */
int problem_read_program(const struct problem *p, const char *folder,
			 const struct package_entry *entry, struct problem_file **files, size_t *n,
			 struct err *e);

/* Fills p->custom, p->validator and, with the one above, p->submissions. */
int problem_read_programs(struct problem *p, const struct problem_settings *s, struct err *e);

/* Whether a package keeps to the part of legacy that is legacy-icpc: problem.yaml; then, once it has been read, its files. */
int problem_icpc_settings(const struct doc *d, struct err *e);
int problem_icpc_files(const struct problem *p, struct err *e);

/* All of a Polygon package, from problem.xml on; p->dir and p->name are set. */
int problem_read_polygon(struct problem *p, struct err *e);

/* Appends the file at path, under its own name, to a program. */
int problem_source_add(const struct problem *p, const char *path, struct problem_file **files,
		       size_t *n, struct err *e);

/* `constants` of problem.yaml. */
int problem_constants_read(const struct doc *d, struct problem_constants *out, struct err *e);
void problem_constants_release(struct problem_constants *c);

/* Puts the values in; *text is replaced.  What is no constant stays as it is. */
int problem_constants_apply(const struct problem_constants *c, const char *path, char **text,
			    size_t *len, struct err *e);

/* problem_file_read() for a file of a program: with the constants' values in it. */
int problem_source_read(const struct problem *p, const char *path, const char *name,
			struct problem_file *out, struct err *e);

/* Hashes one file: fills *out; takes nothing, copies name and path. */
int problem_file_read(const struct problem *p, const char *path, const char *name,
		      struct problem_file *out, struct err *e);

/* Adds to p->warnings what the author should know of and nothing need be refused for. */
int problem_warn(struct problem *p, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "a  b" -> {"a", "b", NULL} behind those of `before` (may be NULL); owned by the caller.  NULL: out of memory. */
char **problem_words(char *const *before, const char *text);
char **problem_words_copy(char *const *words);
void problem_words_free(char **words);

/* Parts of the manifest.  ..._to_json(): a new reference; ..._from_json(): -1 for anything else than that. */
json_t *problem_words_to_json(char *const *words);
int problem_words_from_json(json_t *list, char ***out);
json_t *problem_groups_to_json(const struct problem *p);
void problem_supply_to_json(const struct problem *p, json_t *root);
int problem_supply_from_json(json_t *root, struct problem *p);
void problem_case_supply_to_json(const struct problem_case *c, json_t *item);
int problem_case_supply_from_json(json_t *item, struct problem_case *c);
json_t *problem_files_to_json(const struct problem_file *files, size_t n);
int problem_files_from_json(json_t *list, struct problem_file **out, size_t *n);
int problem_groups_from_json(json_t *list /* NULL: one for all tests */, struct problem *p);

#endif
