#include "sandbox/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/box.h"

#define CHUNK 65536

int copy_bytes(int from, int to, struct err *e)
{
	char chunk[CHUNK];
	off_t at = 0;

	for (;;) {
		ssize_t n = pread(from, chunk, sizeof(chunk), at);

		if (n < 0)
			return err_sys(e, "read");
		if (n == 0)
			return 0;
		if (io_write_all(to, chunk, (size_t)n, e) < 0)
			return -1;
		at += n;
	}
}

int copy_to_memfd(int fd, uint64_t max, struct err *e)
{
	char chunk[CHUNK];
	AUTO_CLOSE int memfd = io_memfd(e);

	if (memfd < 0)
		return -1;
	for (;;) {
		ssize_t n = io_read_full(fd, chunk, sizeof(chunk), e);

		if (n < 0)
			return -1;
		if ((uint64_t)n > max)
			return err_set(e, "too large");
		max -= (uint64_t)n;
		if (io_write_all(memfd, chunk, (size_t)n, e) < 0)
			return -1;
		if (n < CHUNK)
			break;
	}
	return io_memfd_seal(memfd, e) < 0 ? -1 : fd_steal(&memfd);
}

/* Opens beneath a folder; no component may be a link. */
static int open_beneath(int dir, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK),
		.mode = (flags & O_CREAT) ? mode : 0U,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

int copy_flush(struct copy *c, struct err *e)
{
	char *names[2 * COPY_BATCH];
	uint32_t modes[2 * COPY_BATCH];
	size_t n = 0;
	int status = 0;

	for (size_t i = 0; i < c->nfiles; i++, n++) {
		names[n] = c->files[i];
		modes[n] = c->modes[i];
	}
	for (size_t i = 0; i < c->nfolders; i++, n++) {
		names[n] = c->folders[i];
		modes[n] = 0755;
	}
	if (n > 0)
		status = c->put(c->arg, names, modes, n, c->fds, c->nfiles, e);
	copy_release(c);
	return status;
}

void copy_release(struct copy *c)
{
	for (size_t i = 0; i < c->nfiles; i++) {
		free(c->files[i]);
		(void)close(c->fds[i]);
	}
	for (size_t i = 0; i < c->nfolders; i++)
		free(c->folders[i]);
	c->nfiles = c->nfolders = 0;
}

static int add_folder(struct copy *c, const char *name, struct err *e)
{
	char path[BOX_PATH_MAX + 2];

	if (!*name) /* the box itself */
		return 0;
	if (snprintf(path, sizeof(path), "%s/", name) >= (int)sizeof(path))
		return err_set(e, "%.100s...: name too long", name);
	c->folders[c->nfolders] = strdup(path);
	if (!c->folders[c->nfolders])
		return err_set(e, "out of memory");
	c->nfolders++;
	return c->nfolders == COPY_BATCH ? copy_flush(c, e) : 0;
}

static int add_file(struct copy *c, const char *name, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat");
	if (!S_ISREG(st.st_mode))
		return err_set(e, "is neither a regular file nor a folder");
	AUTO_CLOSE int memfd = copy_to_memfd(fd, c->bytes_left, e);
	AUTO_FREE char *copy = strdup(name);

	if (memfd < 0)
		return -1;
	if (!copy)
		return err_set(e, "out of memory");
	c->bytes_left -= (uint64_t)lseek(memfd, 0, SEEK_END);
	(void)lseek(memfd, 0, SEEK_SET);
	c->modes[c->nfiles] = st.st_mode & S_IXUSR ? 0755 : 0644;
	c->files[c->nfiles] = ptr_steal(&copy);
	c->fds[c->nfiles] = fd_steal(&memfd);
	c->nfiles++;
	return c->nfiles == COPY_BATCH ? copy_flush(c, e) : 0;
}

/* One entry of the walk: below is its path from the folder that is copied, name what it is to be called. */
static int add_entry(struct copy *c, const FTSENT *f, int base, const char *below, const char *name,
		     struct err *e)
{
	switch (f->fts_info) {
	case FTS_D:
		return add_folder(c, name, e);
	case FTS_DP:
		return 0;
	case FTS_F: {
		AUTO_CLOSE int fd = open_beneath(base, below, O_RDONLY, 0);

		return fd < 0 ? err_sys(e, "open") : add_file(c, name, fd, e);
	}
	case FTS_SL:
	case FTS_SLNONE:
		return err_set(e, "is a symbolic link, and links are not followed");
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		errno = f->fts_errno;
		return err_sys(e, "read");
	default:
		return err_set(e, "is neither a regular file nor a folder");
	}
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Walks by path, through the open folder, but opens every file beneath that folder: a path swapped meanwhile is refused. */
static int add_tree(struct copy *c, int base, const char *to, struct err *e)
{
	char start[64];
	int n = snprintf(start, sizeof(start), "/proc/self/fd/%d/.", base);
	int status = 0;
	FTS *walk = fts_open((char *[]){start, NULL}, FTS_PHYSICAL | FTS_NOCHDIR, by_name);

	if (!walk)
		return err_sys(e, "fts_open");
	for (FTSENT *f = fts_read(walk); f && status == 0; f = fts_read(walk)) {
		const char *below = f->fts_path + n + (f->fts_pathlen > n);
		char name[PATH_MAX];

		snprintf(name, sizeof(name), "%s%s%s", to, *to && *below ? "/" : "", below);
		status = add_entry(c, f, base, below, name, e);
		if (status < 0 && *below)
			err_wrap(e, "%s", below);
	}
	(void)fts_close(walk);
	return status;
}

/* The name in the box, without '/' at its end; "" for the box itself. */
static int target_name(const char *from, const char *to, char *name, size_t size, struct err *e)
{
	size_t end = strlen(from);
	size_t start;
	size_t len = to ? strlen(to) : 0;
	int into = !to || (len > 0 && to[len - 1] == '/');

	while (end > 1 && from[end - 1] == '/')
		end--;
	for (start = end; start > 0 && from[start - 1] != '/'; start--)
		continue;
	int n = snprintf(name, size, "%s%.*s", to ? to : "", into ? (int)(end - start) : 0,
			 from + start);

	if (n >= (int)size)
		return err_set(e, "name too long");
	if (strcmp(name, ".") == 0)
		name[0] = '\0';
	return *name ? box_check_name(name, e) : 0;
}

int copy_in(struct copy *c, const char *from, const char *to, struct err *e)
{
	char name[BOX_PATH_MAX + 1];
	struct stat st;
	AUTO_CLOSE int fd = open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int status;

	if (fd < 0 && errno == ELOOP)
		return err_set(e, "%s: is a symbolic link, and links are not followed", from);
	if (fd < 0)
		return err_sys(e, "open %s", from);
	if (target_name(from, to, name, sizeof(name), e) < 0)
		return err_wrap(e, "%s", from);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat %s", from);
	if (S_ISDIR(st.st_mode))
		status = add_tree(c, fd, name, e);
	else if (*name)
		status = add_file(c, name, fd, e);
	else
		status = err_set(e, "only a folder can become the box itself");
	return status < 0 ? err_wrap(e, "%s", from) : 0;
}

/* Makes the folders above the file and opens the file for writing. */
static int create_beneath(int base, const char *path, mode_t mode, struct err *e)
{
	char part[BOX_PATH_MAX + 1];

	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(p - path), path);
		AUTO_CLOSE int dir = open_beneath(base, part, O_RDONLY | O_DIRECTORY, 0);

		if (dir >= 0)
			continue;
		char *last = strrchr(part, '/');
		AUTO_CLOSE int above = -1;

		if (last)
			*last = '\0';
		above = open_beneath(base, last ? part : ".", O_RDONLY | O_DIRECTORY, 0);
		if (above < 0 || mkdirat(above, last ? last + 1 : part, 0755) < 0)
			return err_sys(e, "mkdir %.*s", (int)(p - path), path);
	}
	int fd = open_beneath(base, path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	return fd < 0 ? err_sys(e, "create %s", path) : fd;
}

static int write_out(int base, const char *path, uint32_t mode, int fd, struct err *e)
{
	AUTO_CLOSE int out = create_beneath(base, path, mode & S_IXUSR ? 0755 : 0644, e);

	if (out < 0)
		return -1;
	return copy_bytes(fd, out, e) < 0 ? err_wrap(e, "%s", path) : 0;
}

/* The part of name that is kept below the target folder: all that is not from, or its pattern's folder. */
static const char *kept_part(const char *from, const char *name)
{
	size_t len = strlen(from);
	const char *slash;

	while (len > 0 && from[len - 1] == '/')
		len--;
	if (strncmp(name, from, len) == 0 && name[len] == '/')
		return name + len + 1;
	slash = memrchr(from, '/', len);
	if (slash && strncmp(name, from, (size_t)(slash - from) + 1) == 0)
		return name + (slash - from) + 1;
	return name;
}

static int out_folder(const char *to, const char *path, uint32_t mode, int fd, struct err *e)
{
	AUTO_CLOSE int base = -1;

	if (mkdir(to, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "mkdir %s", to);
	base = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (base < 0)
		return err_sys(e, "open %s", to);
	return write_out(base, path, mode, fd, e) < 0 ? err_wrap(e, "%s", to) : 0;
}

/* Whether a single file goes into the folder `to` and not to a file of that name. */
static int is_folder(const char *to)
{
	struct stat st;

	return to[strlen(to) - 1] == '/' || (stat(to, &st) == 0 && S_ISDIR(st.st_mode));
}

static int out_file(const char *to, uint32_t mode, int fd, struct err *e)
{
	const char *slash = strrchr(to, '/');
	AUTO_FREE char *above = slash ? strndup(to, (size_t)(slash - to) + 1) : strdup(".");
	AUTO_CLOSE int base = above ? open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (base < 0)
		return err_sys(e, "open %s", above ? above : to);
	return write_out(base, slash ? slash + 1 : to, mode, fd, e) < 0 ? err_wrap(e, "%s", to) : 0;
}

int copy_out(const char *from, const char *to, const char *name, uint32_t mode, int fd,
	     struct err *e)
{
	const char *last = strrchr(name, '/');

	if (box_check_name(name, e) < 0)
		return -1;
	if (strcmp(from, name) != 0)
		return out_folder(to, kept_part(from, name), mode, fd, e);
	if (is_folder(to))
		return out_folder(to, last ? last + 1 : name, mode, fd, e);
	return out_file(to, mode, fd, e);
}
