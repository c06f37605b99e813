/*
 * doc_value.h - numbers with units, from text that nobody has checked.
 *
 * Each takes the whole text or returns -1; no locale, no space, no overflow; a sign only where it says so.
 */
#ifndef DOC_VALUE_H
#define DOC_VALUE_H

#include <stdint.h>

/* "1500" */
int doc_value_count(const char *text, uint64_t *out);

/* "64K" "512M" "1.5G", or bytes: K, M and G are 1024, 1024^2, 1024^3. */
int doc_value_size(const char *text, uint64_t *out);

/* "250us" "500ms" "1.5s" "2m" "1h": microseconds.  The unit must be there. */
int doc_value_duration(const char *text, uint64_t *out);

/*
 * "1.5", ".5", "15e-1" times scale, exactly: -1 when it does not come out whole, when it is negative, or too large.  The grammar is
 * that of numbers in package format 2025-09, as it is for the two below.
 */
int doc_value_amount(const char *text, uint64_t scale, uint64_t *out);

/* "-0.25", "1e-6": the nearest double; never infinity or NaN. */
int doc_value_float(const char *text, double *out);

/* The same, not negative. */
int doc_value_number(const char *text, double *out);

#endif
