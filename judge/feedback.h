/*
 * feedback.h - the folder feedback/ of a validator: what it leaves there, and how a later pass finds it again.
 *
 * Its files are the validator's words about a contestant's output, so they may hold what the contestant wrote.
 */
#ifndef FEEDBACK_H
#define FEEDBACK_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct sandbox_client;
struct sandbox_file;

#define FEEDBACK_FOLDER      "feedback/"
#define FEEDBACK_MESSAGE_MAX 8192 /* bytes kept of each message */

struct feedback { /* released by feedback_release() */
	struct sandbox_file *files;
	size_t n;
};

/* A fresh box with the folder in it, and what the pass before left there (NULL: it is empty), open to be written on. */
int feedback_put(struct sandbox_client *c, const struct feedback *before, struct err *e);

/*
 * Takes out the files whose names match ("*message.txt"), or NULL for all of them.  None is no error.  -1 with the client not lost:
 * they are too many, or more than max_bytes.
 */
int feedback_fetch(struct sandbox_client *c, const char *pattern, uint64_t max_bytes,
		   struct feedback *out, struct err *e);

/* The file of this name is taken out of *f: its descriptor, the caller's to close; -1 if there is none. */
int feedback_take(struct feedback *f, const char *name);

/* A text, made harmless and cut; NULL if there is no such file.  The caller frees it. */
int feedback_text(const struct feedback *f, const char *name, char **out, struct err *e);

void feedback_release(struct feedback *f);

#endif
