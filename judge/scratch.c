#include "judge/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "proto/err.h"
#include "proto/scope.h"

#define TRIES   16
#define FTW_FDS 16

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	(void)remove(path); /* what cannot go is left, and the folder with it */
	return 0;
}

void scratch_remove_tree(void *ignored, const char *path)
{
	(void)ignored;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): without FTW_CHDIR it touches nothing that threads share */
	(void)nftw(path, remove_one, FTW_FDS, FTW_DEPTH | FTW_PHYS);
}

/* The folder, open and locked; -1: somebody holds it, or it is not ours. */
static int lock_folder(const char *path)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid() ||
	    flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -1;
	return fd_steal(&fd);
}

/* A sweeper may have been between mkdtemp() and flock(): then the name is gone, or about to go. */
static int still_there(int fd, const char *path)
{
	struct stat open_one, named;

	return fstat(fd, &open_one) == 0 && lstat(path, &named) == 0 &&
	       open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

int scratch_make(const char *under, const char *prefix, struct scratch *out, struct err *e)
{
	*out = (struct scratch){NULL, -1};
	for (int i = 0; i < TRIES; i++) {
		AUTO_FREE char *path = NULL;
		AUTO_CLOSE int fd = -1;

		if (asprintf(&path, "%s/%sXXXXXX", under, prefix) < 0) {
			path = NULL;
			return err_sys(e, "temporary folder");
		}
		if (!mkdtemp(path))
			return err_sys(e, "%s", path);
		fd = lock_folder(path);
		if (fd < 0 || !still_there(fd, path))
			continue;
		out->lock = fd_steal(&fd);
		out->path = ptr_steal(&path);
		return 0;
	}
	return err_set(e, "%s: a temporary folder cannot be locked", under);
}

void scratch_remove(struct scratch *s)
{
	if (!s->path)
		return;
	scratch_remove_tree(NULL, s->path);
	scratch_forget(s);
}

void scratch_forget(struct scratch *s)
{
	if (!s->path)
		return;
	(void)close(s->lock);
	free(s->path);
	*s = (struct scratch){NULL, -1};
}

void scratch_sweep(const char *under, const char *prefix, scratch_fn *fn, void *arg)
{
	DIR *dir = opendir(under);
	const struct dirent *d;

	if (!dir)
		return;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): dir is ours alone */
	while ((d = readdir(dir))) {
		char path[PATH_MAX];
		int fd;

		if (strncmp(d->d_name, prefix, strlen(prefix)) != 0 ||
		    snprintf(path, sizeof(path), "%s/%s", under, d->d_name) >= (int)sizeof(path))
			continue;
		fd = lock_folder(path);
		if (fd < 0)
			continue;
		fn(arg, path);
		(void)close(fd);
	}
	closedir(dir);
}
