/*
 * io.h - whole reads and writes, and memory files.
 *
 * A "sealed memfd" is how bytes cross between the halves of Gavel: an anonymous file with the fixed name "gavel", mode
 * 0444, sealed against writing, growing, shrinking and further sealing (fcntl(2) F_ADD_SEALS).  Mode 0444 matters: a plain
 * memfd is 0777 and could be opened for writing again through /proc/self/fd.
 */
#ifndef IO_H
#define IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

/* Microseconds of CLOCK_MONOTONIC / CLOCK_REALTIME. */
int64_t io_monotonic_us(void);
int64_t io_realtime_us(void);

/* Writes all of it, also to a descriptor that takes only parts. */
int io_write_all(int fd, const void *data, size_t len, struct err *e);

/* Reads until len bytes or the end of the file; returns how many. */
ssize_t io_read_full(int fd, void *data, size_t len, struct err *e);

/*
 * The whole file into heap memory that the caller frees, with a NUL behind it; *len is without that.  More than max bytes
 * is an error.  io_read_file() says the path in its errors; the file must be a regular one.
 */
int io_read_fd(int fd, size_t max, char **data, size_t *len, struct err *e);
int io_read_file(const char *path, size_t max, char **data, size_t *len, struct err *e);

/* An empty, writable, unsealed memfd, close-on-exec; the caller owns it. */
int io_memfd(struct err *e);

/* Seals it as said above.  The descriptor's offset is left where it is. */
int io_memfd_seal(int fd, struct err *e);

/* A sealed memfd with these bytes; the caller owns it. */
int io_memfd_of(const void *data, size_t len, struct err *e);

/* 0 if fd is a regular file with all the seals and mode 0444, an error that says what is missing otherwise. */
int io_memfd_check(int fd, struct err *e);

/* A new open file description of the same file, read-only, offset 0; the caller owns it. */
int io_reopen(int fd, struct err *e);

#endif
