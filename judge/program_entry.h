/*
 * program_entry.h - what compiling gave, as the bytes of one file.
 *
 * A first line, the key, the result, and the SHA-256 of all that.  Numbers are 64 bits wide in the order of this machine: the
 * file is for the machine that wrote it.  Reading takes nothing on trust, whatever the hash says: lengths are checked.
 */
#ifndef PROGRAM_ENTRY_H
#define PROGRAM_ENTRY_H

#include "judge/compile.h"

#define PROGRAM_KEY_LEN   64 /* hexadecimal digits */
#define PROGRAM_ENTRY_MAX (COMPILE_ARTIFACTS_MAX + (1ULL << 20))

/* -1: it is damaged, or was written under another key.  *out is zeroed by the caller and released by it, also after -1. */
int program_entry_read(int fd, const char *key, struct compile_result *out, struct err *e);

/* To an empty file, open for reading too. */
int program_entry_write(int fd, const char *key, const struct compile_result *r, struct err *e);

#endif
