/*
 * output.h - what a program writes, collected.
 *
 * Each stream is a pipe whose writing end the program gets; the keeper reads the other end into a memfd of its own, so that
 * output is charged to the keeper and not to the program.  No more than the limit is kept, for both streams together.  With a
 * sink the bytes also go on to a descriptor as they come; a sink that blocks holds up nothing but itself.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdint.h>

struct err;

#define OUTPUT_PIECE (1 << 20)

struct output {
	int pipe;           /* reading end; -1 when the program has it elsewhere, or at its end */
	int memfd;          /* what was read; -1 likewise */
	int sink;           /* borrowed, -1: none */
	uint64_t collected; /* bytes in memfd */
	uint64_t sunk;      /* of them already written to the sink */
};

/* Makes pipe and memfd; *write_end is for the program and owned by the caller. */
int output_open(struct output *o, int sink, int *write_end, struct err *e);
void output_close(struct output *o);

/*
 * Reads what is there without waiting, but no more than OUTPUT_PIECE at a time: a program that never stops writing must not
 * keep the keeper from looking at the clock.  *left is what the limit still allows, 1 is returned when it was not
 * enough.
 */
int output_drain(struct output *o, uint64_t *left, struct err *e);

/* True when there is something for the sink. */
int output_wants_sink(const struct output *o);

/* Writes one piece, small enough not to block a sink that poll(2) called writable; a sink that is gone is forgotten. */
void output_pump(struct output *o);

/* Writes all the rest, waiting as long as it takes. */
void output_flush(struct output *o);

/* Seals the memfd and hands it to the caller. */
int output_take(struct output *o, struct err *e);

#endif
