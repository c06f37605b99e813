/*
 * cgroup_dir.h - one folder of any cgroup hierarchy: its files, its end; cgroup_procs.c has its processes.
 *
 * Private to the cgroup modules.  Nothing here knows which version the folder is of: a file that is there is used.  Folders
 * are open descriptors, never paths; errors name the path behind the descriptor.
 */
#ifndef CGROUP_DIR_H
#define CGROUP_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

#define CGROUP_DIR_NAP_US 50

/* Opens, or makes and opens, a folder in parent.  The caller owns the descriptor. */
int cgroup_dir_open(int parent, const char *name, struct err *e);
int cgroup_dir_make(int parent, const char *name, struct err *e);

/* "<path>/<file>" of an open folder, for messages; file may be "". */
void cgroup_dir_path(int dir, const char *file, char *path, size_t len);

bool cgroup_dir_has(int dir, const char *file);

/* Opens one of its files; flags as for open(2).  The caller owns the descriptor. */
int cgroup_dir_file(int dir, const char *file, int flags, struct err *e);

/* The same for reading; *fd is -1 and nothing is wrong if there is no such file, or no folder (-1). */
int cgroup_dir_file_if_any(int dir, const char *file, int *fd, struct err *e);

/* Writes text, or a number, with one write(2). */
int cgroup_dir_write(int dir, const char *file, const char *text, struct err *e);
int cgroup_dir_write_u64(int dir, const char *file, uint64_t value, struct err *e);

/* Reads the file into text, cut at size - 1 bytes, without its last newline; returns the length. */
ssize_t cgroup_dir_read(int dir, const char *file, char *text, size_t size, struct err *e);
int cgroup_dir_read_u64(int dir, const char *file, uint64_t *value, struct err *e);

/* Writes a number and reads back what the kernel made of it. */
int cgroup_dir_set_u64(int dir, const char *file, uint64_t value, uint64_t *got, struct err *e);

/* The same from a file that stays open. */
ssize_t cgroup_dir_pread(int fd, char *text, size_t size, struct err *e);
int cgroup_dir_pread_u64(int fd, uint64_t *value, struct err *e);

/* A number that is alone in text; false for anything else, also for "max". */
bool cgroup_dir_number(const char *text, uint64_t *value);

/* The number behind "key " or "key=" at the start of a line; false if there is no such line. */
bool cgroup_dir_key(const char *text, const char *key, uint64_t *value);

/* Whether a word is in a list separated by blanks. */
bool cgroup_dir_word(const char *list, const char *word);

/* Sends SIGKILL to all processes in it, also to those it forks meanwhile; waits for none of them. */
int cgroup_dir_kill(int dir, struct err *e);

/* Waits until no live process is in the folder itself. */
int cgroup_dir_wait_empty(int dir, int timeout_ms, struct err *e);

/* Sleeps for *us, which starts at CGROUP_DIR_NAP_US, and lengthens it; false, at once, when the deadline has passed. */
bool cgroup_dir_nap(int64_t deadline_us, long *us);

/* Kills and removes the folder and all folders in it.  It is no error if some or all are gone already. */
int cgroup_dir_remove(int parent, const char *name, int timeout_ms, struct err *e);

/* The same for all folders in it but the one called except ("" for none); goes on after a failure. */
int cgroup_dir_remove_children(int dir, const char *except, int timeout_ms, struct err *e);

#endif
