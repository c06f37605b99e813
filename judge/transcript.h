/*
 * transcript.h - what a program and its interactor said to each other, for the judges.
 *
 * One line for each line said, in the manner of the format's .interaction files: '<' before what the program was told, '>' before what
 * it said, "---" between passes.  Bounded: what does not fit is left out, and the last line says so.
 */
#ifndef TRANSCRIPT_H
#define TRANSCRIPT_H

#include <stddef.h>

struct err;

#define TRANSCRIPT_BYTES_MAX (1U << 20)

enum transcript_side { TRANSCRIPT_PROGRAM = '>', TRANSCRIPT_INTERACTOR = '<' };

struct transcript { /* released by transcript_release() */
	char *text;
	size_t len, max;
	char side; /* of the line that is not ended yet; 0: none */
	int full;
};

/* max: bytes kept, 1 to TRANSCRIPT_BYTES_MAX. */
int transcript_init(struct transcript *t, size_t max, struct err *e);
void transcript_release(struct transcript *t);

void transcript_add(struct transcript *t, enum transcript_side side, const char *data, size_t len);

/* Another pass begins. */
void transcript_pass(struct transcript *t);

/* Heap copy, made harmless by text_clean(); NULL: out of memory. */
char *transcript_text(const struct transcript *t);

#endif
