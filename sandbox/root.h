/*
 * root.h - the file system that a program sees, as a mount table.
 *
 * A root is a rule, rules/roots/NAME.yaml (rules/README.md documents the keys): rows that say what appears where.  It is read once,
 * with privilege, by sandboxd; root_build() turns it into mounts inside the cell, where it runs as the cell's init with no
 * rights over the host.
 *
 * Everything bound from the host is read-only, nosuid and nodev, with all mounts beneath it.  Files may also come from elsewhere
 * (`from`: root_from.h); that adds rows to the table and nothing else.
 */
#ifndef ROOT_H
#define ROOT_H

#include <stddef.h>

struct err;

#define ROOT_ROWS_MAX 512

enum root_type {
	ROOT_BIND,    /* host file or folder, read-only; a symlink is copied as one */
	ROOT_BIND_RW, /* the same, writable: only `sandbox run --mount` makes these */
	ROOT_FILE,    /* a small file with fixed content */
	ROOT_LINK,    /* a symbolic link */
	ROOT_PROC,    /* procfs of the cell's pid namespace, own processes only */
	ROOT_DEV,     /* null zero full random urandom fd stdin stdout stderr */
	ROOT_TMPFS,   /* empty, writable, limited, new for each run */
	ROOT_BOX,     /* the same, and the working directory */
	ROOT_PROGRAM, /* the compiled program, read-only */
};

struct root_mount {
	enum root_type type;
	char *source;  /* BIND, LINK */
	char *target;  /* absolute, without "." or ".." */
	char *content; /* FILE */
	int optional;  /* BIND: a source that does not exist is left out */
};

struct root { /* owns everything in it */
	char *name;
	char *text; /* of the rule, for the hash of the rules; NULL when made by hand */
	struct root_mount *mounts;
	size_t nmounts;
	char *from; /* a folder, an image or an OCI layout; NULL: the rows are all there is */
	/* Known once root_use_from() found an OCI layout there, NULL before: */
	char *digest; /* of the image's manifest */
	char *env;    /* of the image: NAME=VALUE with a NUL behind each, env_len bytes in all */
	size_t env_len;
};

/* Fills a zeroed *r from the text of a rule; on failure, too, the caller releases it. */
int root_parse(struct root *r, const char *text, size_t len, const char *name, struct err *e);

/* Reads dir/NAME.yaml.  Errors name file, line and what is expected. */
int root_load(struct root *r, const char *dir, const char *name, struct err *e);
void root_release(struct root *r);

/* Appends a row; texts are copied.  For roots that a command line asks for. */
int root_add(struct root *r, enum root_type type, const char *source, const char *target,
	     struct err *e);

/* Appends a copy of a row. */
int root_take(struct root *r, const struct root_mount *m, struct err *e);
void root_mount_release(struct root_mount *m);

/* Removes the binds of the host and the links, which fit its files; the rule's own files stay. */
void root_drop_host(struct root *r);

/* 0 if the table is complete and safe: targets well-formed and different, exactly one BOX, PROC, DEV and PROGRAM. */
int root_check(const struct root *r, struct err *e);

/*
 * Called by init in its own user and mount namespace, with the host's tree still in place: assembles the root on a tmpfs over
 * /tmp.  After that root_enter() makes it "/", detaches the host's tree and makes "/" itself read-only.
 */
int root_build(const struct root *r, struct err *e);
int root_enter(struct err *e);

#endif
