/*
 * supply.h - files that a problem gives to the programs it judges: include/ before they are compiled, and what a test has in its
 * .files folder before they run.
 */
#ifndef SUPPLY_H
#define SUPPLY_H

#include <stddef.h>

#include "judge/compile.h"

struct blob_cache;
struct err;
struct language;
struct problem;
struct problem_case;
struct sandbox_client;

struct supply { /* released by supply_release() */
	struct compile_source *
		sources; /* those of the submission, then those of the problem; ends are borrowed */
	size_t nsources,
		nown; /* the first nown are borrowed from the submission, the others' contents are owned */
};

/*
 * The sources of a submission with the included files of its language: those of include/default and over them those of
 * include/CODE, over files of the submission with the same name.  The submission's are borrowed.  The problem is from a manifest.
 */
int supply_sources(const struct problem *p, const struct language *l, struct blob_cache *blobs,
		   const struct compile_source *sources, size_t n, struct supply *out,
		   struct err *e);
void supply_release(struct supply *s);

/* Makes the box that a run for this test begins in.  1: there are files in it, so run there (same_box); 0: nothing to put. */
int supply_box(struct sandbox_client *c, const struct problem *p, const struct language *l,
	       const struct problem_case *test, struct blob_cache *blobs, struct err *e);

/* Whether submissions in this language are taken. */
int supply_allows(char *const *codes /* NULL: all */, const struct language *l);

#endif
