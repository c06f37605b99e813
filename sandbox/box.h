/*
 * box.h - the folders that programs write to, and how files get in and out of them.
 *
 * All of this runs in the cell's init: inside the cell's namespaces, without any right over the host, and only while no program
 * is alive.  What a program left is hostile: names, links, fifos, sparse files, deep trees.  Every lookup is made with
 * openat2(2) RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV, and nothing but regular files
 * and folders is ever opened.
 */
#ifndef BOX_H
#define BOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct err;
struct root;

#define BOX_PLACES_MAX     8
#define BOX_FILES_MAX      4096
#define BOX_DEPTH_MAX      32
#define BOX_PATH_MAX       1024
#define BOX_BYTES_MIN      4096
#define BOX_DEFAULT        (64ULL << 20)
#define BOX_KEPT_MAX       (512ULL << 20) /* bytes of /program */
#define BOX_INODES_DEFAULT 4096

/* One tmpfs that programs can write to. */
struct box_place {
	const char *target;
	int fd;           /* its root folder; -1 when nothing is mounted */
	int has_files;    /* put there by us since it was mounted */
	struct stat root; /* what its root folder looked like when it was mounted */
	uint64_t bytes, inodes;
};

struct box {
	struct box_place places[BOX_PLACES_MAX]; /* places[0] is the box itself */
	size_t nplaces;
	const char *program; /* where the compiled program is mounted */
	int has_program;
	int used; /* a program has run in this box */
};

/* Mounts everything empty. */
int box_open(struct box *b, const struct root *r, struct err *e);

/*
 * Before a PUT or a RUN: what an earlier program may have touched is replaced by empty folders; with same_box, /box itself stays.
 * Then the limits are set: bytes and inodes for each folder, 0 for the default.
 */
int box_prepare(struct box *b, int same_box, uint64_t bytes, uint64_t inodes, struct err *e);

/* After a run: if it changed nothing, the box counts as unused again. */
void box_look(struct box *b);

/* A name as PUT and FETCH take it: relative, no empty, "." or ".." component, no component over 255 bytes. */
int box_check_name(const char *name, struct err *e);

/* Creates one file with the bytes of fd (from their start), or a folder if the name ends in '/'. */
int box_put(struct box *b, const char *name, unsigned mode, int fd, struct err *e);

/* Called for each file that box_take() finds: fd is open for reading, borrowed. */
typedef int box_sink(void *arg, const char *name, const void *stat_of_file, int fd, struct err *e);

/*
 * Gives the sink every regular file at the paths (none: everything), at most max_bytes together.  A path without any is an
 * error with e->num ENOENT; e->num is 0 when what is in the box is too much or too deep.
 */
int box_take(const struct box *b, char *const *paths, size_t npaths, uint64_t max_bytes,
	     box_sink *sink, void *arg, struct err *e);

/* The files at the paths become the read-only program; the box is replaced by an empty one. */
int box_keep(struct box *b, char *const *paths, size_t npaths, struct err *e);

#endif
