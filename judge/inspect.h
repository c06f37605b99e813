/*
 * inspect.h - a package's data under its own programs: what input validators say of each input, and whether the output validator
 * tells the outputs of data/valid_output and data/invalid_output apart.  For the package's author; judging needs none of it.
 */
#ifndef INSPECT_H
#define INSPECT_H

#include <stddef.h>

struct blob_cache;
struct err;
struct jury_builder;
struct language;
struct problem;

#define INSPECT_FOUND_MAX 50 /* that are told; the others are counted */

struct inspect_found { /* released by inspect_release() */
	char **items; /* "data/secret/1.in: input_validators/check.py: exit code 43, expected 42: line 1" */
	size_t n, more;
};

struct inspect_job { /* borrowed */
	const struct jury_builder *tools;
	const struct problem *package;    /* as problem_read() gave it */
	const struct problem *stored;     /* the same, from its manifest */
	const struct language *validator; /* of its own validator; NULL: the built-in one */
	struct blob_cache *blobs;
};

/* -1: the sandbox, or memory.  Whatever the package has wrong is found. */
int inspect_package(const struct inspect_job *job, struct inspect_found *out, struct err *e);
void inspect_release(struct inspect_found *f);

#endif
