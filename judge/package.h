/*
 * package.h - the files of a folder that somebody else made.
 *
 * Everything is opened beneath the folder (openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS): links may lead around inside,
 * never out.  Only regular files and folders are touched: what is not one of them is found out before it is opened, so a
 * FIFO cannot block and a device does nothing.  Paths are relative to the folder and are what error messages begin with.
 */
#ifndef PACKAGE_H
#define PACKAGE_H

#include <stddef.h>
#include <stdint.h>

struct err;

#define PACKAGE_ENTRIES_MAX 20000 /* in one folder */

struct package_entry {
	char *name;
	int folder;
};

/* A folder of a package; the caller owns the descriptor. */
int package_open_folder(int package, const char *path, struct err *e);

/* A regular file for reading.  e->num is ENOENT when there is none. */
int package_open_file(int package, const char *path, struct err *e);

/* The whole file, at most max bytes, a NUL behind it; the caller frees it. */
int package_read(int package, const char *path, size_t max, char **data, size_t *len,
		 struct err *e);

/* 1: a regular file, 2: a folder, 0: nothing there; -1: something else, or a link that leads out. */
int package_kind(int package, const char *path, struct err *e);

/*
 * What is in a folder, by name (byte order), without names that begin with '.'.  Names must pass names_package_file().  A folder
 * that is not there is empty.  Released by package_list_free().
 */
int package_list(int package, const char *path, struct package_entry **out, size_t *n,
		 struct err *e);
void package_list_free(struct package_entry *list, size_t n);

#endif
