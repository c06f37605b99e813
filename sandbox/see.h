/*
 * see.h - what `sandbox doctor`, `ps` and `inspect` share: options, files of /proc, text that is safe to show.
 *
 * These commands read what hostile programs chose: their names, the paths of what they run.  Everything of that kind goes to a
 * terminal through see_q() and into JSON through see_json(), nothing as it is.
 */
#ifndef SEE_H
#define SEE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

#define SEE_COLUMNS 96 /* lines are not longer, but for words that are */
#define SEE_OK      0  /* exit statuses */
#define SEE_FAILED  1
#define SEE_USAGE   2

struct see_options {
	int json, help;
	char *rules;    /* --rules; NULL unless the command takes it */
	char *argument; /* the one argument; NULL unless the command takes one */
};

/*
 * Reads "sandbox COMMAND [--json] [--rules DIR] [ARGUMENT]": argv[0] is the command.  Takes --rules only where takes_rules, and needs
 * exactly one argument where argument, its name in errors, is not NULL.
 */
int see_options(struct see_options *o, int argc, char **argv, int takes_rules, const char *argument,
		struct err *e);

/*
 * Text of unknown origin for a terminal: printable ASCII stays, a backslash is doubled, every other byte becomes \xNN.  Returns one
 * of sixteen static buffers of 512 bytes, where longer text is cut and ends in "...".
 */
const char *see_q(const char *text);

/* Text of unknown origin as a JSON string: bytes that are not UTF-8 become '?'; jansson escapes the rest. */
json_t *see_json(const char *text);

/* The number, or null if it is negative: unknown. */
json_t *see_number(int64_t n);

/* Writes the object as JSON with nothing but ASCII in it; returns the exit status. */
int see_dump(const json_t *object);

/* Reads a file of at most size - 1 bytes beneath dir; text is empty and -1 returned if that fails. */
ssize_t see_read(int dir, const char *path, char *text, size_t size);

/* The whole file, on the heap; NULL if it cannot be read. */
char *see_read_all(int dir, const char *path);

/* The target of a symbolic link; "" and -1 if it cannot be read. */
ssize_t see_link(int dir, const char *path, char *text, size_t size);

/* What stands behind "KEY:" and blanks in a file like /proc/PID/status, up to the end of the line; NULL if there is none. */
const char *see_field(const char *text, const char *key, char *value, size_t size);

/* "12.3M", "-" if negative; "0.25s".  Static buffers as those of see_q(). */
const char *see_bytes(int64_t bytes);
const char *see_time(int64_t us);

/* Whether standard output is a terminal whose user has not asked for no colours (NO_COLOR). */
int see_colours(void);

/* Prints words up to SEE_COLUMNS in a line; the cursor stands at column `indent`, where further lines begin too. */
void see_wrap(int indent, const char *text);

#endif
