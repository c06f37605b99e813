/*
 * validator.h - the built-in output validator: does the team's output say what the judge's answer says?
 *
 * Both texts are cut into tokens at white space (space, \t \n \v \f \r) and compared in order.  A token of the answer that
 * is a decimal number is compared as a number when a tolerance is set: right if |answer - output| is at most the absolute
 * tolerance, or at most the relative one times |answer|.  All others are compared as bytes; ASCII case counts only with
 * case_sensitive.  Missing and additional tokens are wrong.  With space_change_sensitive white space must be the same byte by byte.
 *
 * Numbers are [+-] digits [. digits] [e [+-] digits]; "inf", "nan" and hexadecimal are words.  One too large for a double is
 * a word as well.
 *
 * The output is hostile: any bytes, any length.  Time is linear, memory constant, nothing is allocated.
 */
#ifndef VALIDATOR_H
#define VALIDATOR_H

#include <stddef.h>

struct err;

#define VALIDATOR_MESSAGE_MAX 512

struct validator_flags {
	int case_sensitive;
	int space_change_sensitive;
	int floats;                /* a tolerance is set */
	double absolute, relative; /* negative: not set */
};

/*
 * Reads "case_sensitive float_tolerance 1e-6 ..." given as words (NULL-terminated).  Unknown words, missing, negative or
 * malformed numbers are errors that name the word.  Tolerances given twice: the last one counts.
 */
int validator_flags_parse(const char *const *words, struct validator_flags *out, struct err *e);

/*
 * 1: accepted; 0: wrong, and message (VALIDATOR_MESSAGE_MAX bytes) says to the judges where and why, printable ASCII:
 * "token 3, line 2: expected '5', got '7'".  It quotes the answer, so it is not for teams.
 */
int validator_compare(const struct validator_flags *flags, const char *answer, size_t answer_len,
		      const char *output, size_t output_len, char *message);

#endif
