/*
 * scratch.h - folders for a while: private, and gone in the end also when their maker was killed.
 *
 * A scratch folder is UNDER/PREFIXxxxxxx, mode 0700, and its maker holds a flock(2) on it.  The kernel drops that lock with the
 * process, however it ended, so whoever looks later can tell a folder in use from one that was left behind: no process ids, which
 * are given again, and no files that say who.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

struct err;

struct scratch {
	char *path; /* NULL: none */
	int lock;   /* the folder itself, open; -1: none */
};

/* Makes one; the caller removes it with scratch_remove(). */
int scratch_make(const char *under, const char *prefix, struct scratch *out, struct err *e);

/* Removes the folder with all that is in it, never following a link.  Nothing happens to an empty struct. */
void scratch_remove(struct scratch *s);

/* For a folder that its maker has removed in a way of its own. */
void scratch_forget(struct scratch *s);

/*
 * Calls fn for each folder of ours (owner: the effective user) below under whose maker is gone; it is locked meanwhile.
 * scratch_remove_tree() is a good fn where all in it is the user's own.
 */
typedef void scratch_fn(void *arg, const char *path);
void scratch_sweep(const char *under, const char *prefix, scratch_fn *fn, void *arg);
void scratch_remove_tree(void *ignored, const char *path);

#endif
