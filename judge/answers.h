/*
 * answers.h - problems of type submit-answer: what is handed in is no program but its output, one file for each test.
 *
 * The file for test secret/tiny/01 is 01.out (or 01.ans), if no other test's name ends like that, or secret-tiny-01.out.  A file
 * that belongs to no test, or the second one for a test, refuses the submission, as what does not compile is refused; a test without
 * a file is not solved.
 */
#ifndef ANSWERS_H
#define ANSWERS_H

#include <stddef.h>

struct compile_source;
struct language;
struct problem;

#define ANSWERS_LANGUAGE "none" /* what such a submission's language is called */

/* Stands for a language where one is asked for: it compiles and runs nothing. */
const struct language *answers_language(void);

/* Whether every file belongs to a test; if not, 0, and why for whoever handed them in. */
int answers_fit(const struct problem *p, const struct compile_source *files, size_t n, char *why,
		size_t size);

/* The file for a test, NULL: there is none. */
const struct compile_source *answers_find(const struct problem *p, size_t test,
					  const struct compile_source *files, size_t n);

#endif
