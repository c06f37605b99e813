/*
 * copy.h - files of the host into the box of `sandbox run`, and back.
 *
 * What is copied in may be a folder that somebody else can write to, what comes out is whatever the program left: no
 * symbolic link is ever followed on either side, nothing but regular files and folders is opened, and all of it together
 * has a limit.  Files travel as sealed memfds.
 */
#ifndef COPY_H
#define COPY_H

#include <stddef.h>
#include <stdint.h>

struct err;

#define COPY_BATCH 48 /* files and folders of one PUT: their names fit in a frame */

/* Puts files into the box: fds[i] belongs to names[i]; names that end in '/' are folders, come last, and have none. */
typedef int copy_put(void *arg, char **names, uint32_t *modes, size_t n, const int *fds,
		     size_t nfds, struct err *e);

/* Begin with {.put, .arg, .bytes_left}, the rest zero; end with copy_release(). */
struct copy {
	copy_put *put;
	void *arg;
	uint64_t bytes_left;
	char *files[COPY_BATCH], *folders[COPY_BATCH];
	uint32_t modes[COPY_BATCH];
	int fds[COPY_BATCH];
	size_t nfiles, nfolders;
};

/*
 * Copies a file or a folder with all in it.  to: where in the box, NULL for the last component of from; a `to` that ends in
 * '/' is a folder to put it in, "." is the box itself, for the content of a folder.  A link is an error, not left out.
 */
int copy_in(struct copy *c, const char *from, const char *to, struct err *e);

/* Puts what is left of the last batch. */
int copy_flush(struct copy *c, struct err *e);
void copy_release(struct copy *c);

/*
 * Writes one file that came out of the box.  from is what was asked for (a file, a folder, a pattern, or "." for all), name is
 * what it is called in the box.  If from is that very file, to is the file to write (or, if it is a folder or ends in '/', the
 * folder to write it to); otherwise to is a folder, made if need be, and name keeps the part behind from.
 */
int copy_out(const char *from, const char *to, const char *name, uint32_t mode, int fd,
	     struct err *e);

/* Writes all of a file to another, whatever the offset of the first is. */
int copy_bytes(int from, int to, struct err *e);

/* All of a file, from where its offset is, as a sealed memfd of at most max bytes; the caller owns it. */
int copy_to_memfd(int fd, uint64_t max, struct err *e);

#endif
