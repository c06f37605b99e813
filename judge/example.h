/*
 * example.h - a package's own submissions, judged as a contestant's would be: for judge verify, and to measure a time limit.
 */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <stddef.h>

#include "judge/job.h"

struct compile_source;
struct err;
struct language;
struct languages;
struct problem;
struct problem_submission;

struct example { /* released by example_release() */
	const struct language *language;
	struct compile_source *sources;
	size_t nsources;
};

/*
 * Reads the sources of one submission of a package from problem_read(), and finds its language.  -1: there is none on this
 * machine, or the program is larger than a contestant's may be.
 */
int example_load(const struct languages *all, const struct problem *package,
		 const struct problem_submission *s, struct example *x, struct err *e);
void example_release(struct example *x);

/* job_run() for it; language and sources of the config are those of the example. */
enum job_end example_judge(const struct example *x, const struct job_config *config,
			   struct job_result *out, struct err *e);

#endif
