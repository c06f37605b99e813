/*
 * hash.h - SHA-256 as hexadecimal text, the name of content everywhere in judged.
 */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>
#include <stdint.h>

struct err;

#define HASH_LEN 64 /* digits; buffers have one more for the NUL */

/* Of bytes in memory. */
int hash_bytes(const void *data, size_t len, char *hex, struct err *e);

/* Of a file from its start, by pread(2); *bytes is its size.  More than max is an error. */
int hash_fd(int fd, uint64_t max, char *hex, uint64_t *bytes, struct err *e);

#endif
