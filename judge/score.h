/*
 * score.h - scores: decimal numbers, added and compared exactly.
 *
 * A score has nine digits after the point and no binary rounding: 0.1 + 0.2 is 0.3.  A number that is read with more digits is
 * rounded to nine, half away from zero, before anything is done with it; so the 66.66666666666667 that a program prints for
 * two thirds of a hundred is 66.666666667.  What is read is at most SCORE_MAX either way; ten thousand of them can be added, and
 * the sum multiplied by ten thousand, without overflow.
 *
 * Everything here is pure.
 */
#ifndef SCORE_H
#define SCORE_H

#include <stddef.h>
#include <stdint.h>

#define SCORE_TEXT_MAX 48 /* of score_format(), with its NUL */
#define SCORE_DIGITS   9  /* behind the point */
#define SCORE_ONE      1000000000

__extension__ typedef __int128 score_wide;

struct score {
	score_wide nano; /* billionths */
};

/* Largest number that is read, 10^18. */
#define SCORE_MAX (score_of(1000000000000000000))

static inline struct score score_of(int64_t whole)
{
	return (struct score){(score_wide)whole * SCORE_ONE};
}

/*
 * A decimal number, "12", "-0.5", ".5", "5.", "1e3", as the problem format writes them; the whole text, no white space.  -1: it is
 * none, or larger than SCORE_MAX, or longer than 1000 bytes.
 */
int score_parse(const char *text, size_t len, struct score *out);

/* Below 0, 0, above 0. */
int score_cmp(struct score a, struct score b);

struct score score_add(struct score a, struct score b);

struct score score_times(struct score a, size_t n);

/* Divided by n, rounded half away from zero. */
struct score score_over(struct score a, size_t n);

/* This part, 0 to 1, of a score; rounded in the same way. */
struct score score_part(struct score a, struct score part);

/* Without zeros that say nothing: "33.333333333", "40", "-0.5". */
void score_format(struct score s, char *out /* SCORE_TEXT_MAX */);

#endif
