/*
 * package_fixture.h - a folder for one test, and files written into it: problem packages are made of little else.
 *
 * The names are short because tests say them on every line.
 */
#ifndef PACKAGE_FIXTURE_H
#define PACKAGE_FIXTURE_H

#include <stddef.h>

extern char root[64]; /* the folder */

void make_root(void);
void remove_root(void);

/* ROOT/path; good for the next three calls. */
const char *at(const char *path);

/* Writes ROOT/path with the folders it needs; a path that ends in '/' is a folder. */
void put(const char *path, const char *text);
void put_bytes(const char *path, const void *data, size_t len);

#endif
