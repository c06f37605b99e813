/*
 * text.h - what a program printed, made fit to store, send and show.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

struct err;

/*
 * Heap copy that is valid UTF-8, has no control characters but newline and tab (so it cannot steer a terminal), none that turn
 * the text around, and at most max bytes, cut where a character ends.  What was neither is U+FFFD; "\r\n" is "\n".  NULL: out of memory.
 */
char *text_clean(const void *data, size_t len, size_t max);

/* The same for the start of a file; the descriptor's offset does not matter.  -1 with *e when it cannot be read. */
int text_clean_fd(int fd, size_t max, char **out, struct err *e);

/* Heap copy of a string, of "" for NULL: what fields of judge.v1 want.  NULL: out of memory. */
char *text_copy(const char *text);

#endif
