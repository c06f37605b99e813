/*
 * names.h - which names are good, said in one place.
 *
 * Names come from contestants and from packages and end up in boxes, argument lists and logs.  Each check returns 0, or -1
 * with the name (escaped) and the rule in *e; the caller adds the field or file with err_wrap().
 */
#ifndef NAMES_H
#define NAMES_H

#include <stddef.h>

struct err;

#define NAMES_SOURCE_MAX  100
#define NAMES_PROBLEM_MAX 64

/* A source file: letters, digits, '.', '_', '-', '+'; not starting with '.', '-' or '+'; at most 100 bytes. */
int names_source(const char *name, struct err *e);

/* A file or folder of a problem package: [A-Za-z0-9_][A-Za-z0-9_.-]{0,254}, with '+' allowed too (main.c++). */
int names_package_file(const char *name, struct err *e);

/* A problem or a language: [A-Za-z0-9][A-Za-z0-9_+-]{0,63}. */
int names_problem(const char *name, struct err *e);

/* The file name without its last extension: "Main.java" gives 4.  Never 0 for a name that names_source() takes. */
size_t names_stem_len(const char *name);

/* The last extension without the dot, inside name; "" when there is none. */
const char *names_extension(const char *name);

/* Copies untrusted bytes for a message: control characters, non-ASCII and quotes as \xNN, cut with "..." to fit; size is at least 8. */
void names_escape(const char *text, size_t len, char *out, size_t size);

#endif
