/*
 * compile_text.h - what a compiler printed, for the author of the program.
 *
 * Files have the names that the author gave them: no folders of the box, no names of temporary files, none of what a rule had
 * prepared.  Valid UTF-8, without control characters, and cut at the end of a line, with a last line that says so.
 */
#ifndef COMPILE_TEXT_H
#define COMPILE_TEXT_H

#include <stddef.h>

struct compile_job;
struct entry;
struct err;

/* At most max bytes, of a file from its start.  *out is the caller's. */
int compile_text(int fd, const struct compile_job *job, const struct entry *entry, size_t max,
		 char **out, struct err *e);

#endif
