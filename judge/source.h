/*
 * source.h - what a contestant's file may hold, and how it is put into a box.
 *
 * What is stored is what was submitted, byte for byte.  What is compiled is the same without a byte order mark at its start, and
 * with Windows line ends made plain ones: half of the compilers and interpreters do not know the one or the other.
 */
#ifndef SOURCE_H
#define SOURCE_H

struct compile_source;
struct err;

/* -1, with the name and the reason, for what is no text: a program, an archive, UTF-16, a NUL byte. */
int source_check(const struct compile_source *s, struct err *e);

/* A sealed memfd with what is compiled; the caller closes it. */
int source_memfd(const struct compile_source *s, struct err *e);

#endif
