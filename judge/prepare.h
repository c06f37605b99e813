/*
 * prepare.h - what a compiler has to do for every program, done once: a precompiled header, an archive of its own classes.
 *
 * A rule may say how (compile.prepare in rules/README.md).  The file is made in a cell in which no contestant's code has been yet,
 * by the rule's command alone; kept in the cache of programs, checked against its hash when it is read; and given to compilations
 * as a sealed memfd, which is descriptor 3 there: nobody can change it, and its pages are shared by all who read it.
 *
 * Without it everything compiles as well, only slower: so a file that cannot be made is logged once and done without.
 */
#ifndef PREPARE_H
#define PREPARE_H

struct compile_job;
struct err;
struct prepare;
struct program_cache;
struct sandbox_client;

/* programs is borrowed.  The file is made when it has been asked for more than `patience` times.  NULL: out of memory. */
struct prepare *prepare_new(struct program_cache *programs, unsigned patience);
void prepare_free(struct prepare *p); /* NULL is allowed */

/*
 * *fd: an open file description of the caller's own, or -1 when there is nothing for this job.  May run the rule's command in the
 * cell, whose box must not have been used, or wait for another thread that does.  -1: the cell is lost.
 */
int prepare_take(struct prepare *p, struct sandbox_client *c, const struct compile_job *job,
		 const char *toolchain, int *fd, struct err *e);

#endif
