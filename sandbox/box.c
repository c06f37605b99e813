#include "sandbox/box.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/ids.h"
#include "sandbox/mounts.h"
#include "sandbox/root.h"

static int open_beneath(int dir, const char *path, uint64_t flags, uint64_t mode)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY,
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_XDEV,
	};

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

static void place_unmount(struct box_place *p)
{
	if (p->fd < 0)
		return;
	(void)close(p->fd);
	p->fd = -1;
	(void)umount2(p->target, MNT_DETACH);
}

static int place_mount(struct box_place *p, uint64_t bytes, uint64_t inodes, struct err *e)
{
	struct mounts_tmpfs t = {.bytes = bytes,
				 .inodes = inodes,
				 .mode = "0755",
				 .uid = IDS_PROGRAM,
				 .gid = IDS_PROGRAM};
	AUTO_CLOSE int tree = mounts_new_tmpfs(&t, e);

	if (tree < 0 || mounts_attach(tree, p->target, e) < 0)
		return -1;
	p->fd = open(p->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->fd < 0)
		return err_sys(e, "open %s", p->target);
	p->bytes = bytes;
	p->inodes = inodes;
	p->has_files = 0;
	if (fstat(p->fd, &p->root) < 0)
		return err_sys(e, "stat %s", p->target);
	return 0;
}

static int place_resize(struct box_place *p, uint64_t bytes, uint64_t inodes, struct err *e)
{
	char options[96];

	if (p->bytes == bytes && p->inodes == inodes)
		return 0;
	snprintf(options, sizeof(options), "size=%llu,nr_inodes=%llu", (unsigned long long)bytes,
		 (unsigned long long)inodes);
	if (mount(NULL, p->target, NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV, options) < 0)
		return err_sys(e, "limit %s to %s", p->target, options);
	p->bytes = bytes;
	p->inodes = inodes;
	return 0;
}

static int same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/*
 * Nothing was ever made in it and nothing about its root folder changed: then it is as good as a new one.  The times alone would
 * not do: a change within the same clock tick as the mount leaves them as they were.
 */
static int place_is_clean(const struct box_place *p)
{
	const struct stat *was = &p->root;
	struct statfs s;
	struct stat st;
	int flags = 0;

	if (p->fd < 0 || p->has_files || fstatfs(p->fd, &s) < 0 || fstat(p->fd, &st) < 0)
		return 0;
	/* Attributes of the folder (chattr(1)) that a program set show nowhere else within the same tick. */
	if (ioctl(p->fd, FS_IOC_GETFLAGS, &flags) == 0 && flags != 0)
		return 0;
	return s.f_bfree == s.f_blocks && s.f_files - s.f_ffree == 1 &&
	       st.st_mode == was->st_mode && st.st_uid == was->st_uid && st.st_gid == was->st_gid &&
	       same_time(st.st_atim, was->st_atim) && same_time(st.st_mtim, was->st_mtim) &&
	       same_time(st.st_ctim, was->st_ctim) && flistxattr(p->fd, NULL, 0) == 0;
}

static int place_renew(struct box_place *p, uint64_t bytes, uint64_t inodes, struct err *e)
{
	if (place_is_clean(p))
		return place_resize(p, bytes, inodes, e);
	place_unmount(p);
	return place_mount(p, bytes, inodes, e);
}

static void add_place(struct box *b, const char *target)
{
	b->places[b->nplaces++] = (struct box_place){.target = target, .fd = -1};
}

int box_open(struct box *b, const struct root *r, struct err *e)
{
	*b = (struct box){0};
	for (size_t i = 0; i < r->nmounts; i++) {
		if (r->mounts[i].type == ROOT_BOX)
			add_place(b, r->mounts[i].target);
		if (r->mounts[i].type == ROOT_PROGRAM)
			b->program = r->mounts[i].target;
	}
	for (size_t i = 0; i < r->nmounts; i++) {
		if (r->mounts[i].type != ROOT_TMPFS)
			continue;
		if (b->nplaces == BOX_PLACES_MAX)
			return err_set(e, "more than %d tmpfs mounts", BOX_PLACES_MAX - 1);
		add_place(b, r->mounts[i].target);
	}
	for (size_t i = 0; i < b->nplaces; i++)
		if (place_mount(&b->places[i], BOX_DEFAULT, BOX_INODES_DEFAULT, e) < 0)
			return -1;
	return 0;
}

int box_prepare(struct box *b, int same_box, uint64_t bytes, uint64_t inodes, struct err *e)
{
	if (bytes == 0)
		bytes = BOX_DEFAULT;
	if (inodes == 0)
		inodes = BOX_INODES_DEFAULT;
	if (b->used) {
		for (size_t i = same_box ? 1 : 0; i < b->nplaces; i++)
			if (place_renew(&b->places[i], bytes, inodes, e) < 0)
				return -1;
		b->used = same_box;
	}
	for (size_t i = 0; i < b->nplaces; i++)
		if (place_resize(&b->places[i], bytes, inodes, e) < 0)
			return -1;
	return 0;
}

void box_look(struct box *b)
{
	for (size_t i = 0; b->used && i < b->nplaces; i++)
		if (!place_is_clean(&b->places[i]))
			return;
	b->used = 0;
}

int box_check_name(const char *name, struct err *e)
{
	size_t len = strlen(name);

	if (len == 0 || len > BOX_PATH_MAX)
		return err_set(e, "name: must have 1 to %d bytes", BOX_PATH_MAX);
	if (name[0] == '/')
		return err_set(e, "name '%s': must be relative", name);
	for (const char *p = name; *p;) {
		size_t part = strcspn(p, "/");

		if (part == 0 || part > NAME_MAX || (part == 1 && p[0] == '.') ||
		    (part == 2 && p[0] == '.' && p[1] == '.'))
			return err_set(e, "name '%s': no empty, '.', '..' or over-long component",
				       name);
		p += part;
		if (*p == '/')
			p++;
	}
	return 0;
}

/* Makes the folders of a name, all components but the last, and hands out the innermost. */
static int make_folders(const struct box *b, const char *name, const char **last, struct err *e)
{
	AUTO_CLOSE int dir = fcntl(b->places[0].fd, F_DUPFD_CLOEXEC, 3);
	const char *p = name;

	for (const char *slash; dir >= 0 && (slash = strchr(p, '/')) && slash[1]; p = slash + 1) {
		char part[NAME_MAX + 1];

		snprintf(part, sizeof(part), "%.*s", (int)(slash - p), p);
		if (mkdirat(dir, part, 0755) == 0)
			(void)!fchownat(dir, part, IDS_PROGRAM, IDS_PROGRAM, AT_SYMLINK_NOFOLLOW);
		else if (errno != EEXIST)
			return err_sys(e, "mkdir %s", name);
		int inner = open_beneath(dir, part, O_RDONLY | O_DIRECTORY, 0);

		(void)close(dir);
		dir = inner;
	}
	if (dir < 0)
		return err_sys(e, "folder of %s", name);
	*last = p;
	return fd_steal(&dir);
}

static int copy_bytes(int from, int to, uint64_t len, struct err *e)
{
	off_t at = 0;

	while ((uint64_t)at < len) {
		ssize_t n = sendfile(to, from, &at, len - (uint64_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "copy");
		if (n == 0)
			break;
	}
	return 0;
}

static int put_folder(int dir, const char *last, struct err *e)
{
	char part[NAME_MAX + 1];

	snprintf(part, sizeof(part), "%.*s", (int)strcspn(last, "/"), last);
	if (mkdirat(dir, part, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "mkdir");
	AUTO_CLOSE int fd = open_beneath(dir, part, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0 || fchown(fd, IDS_PROGRAM, IDS_PROGRAM) < 0)
		return err_sys(e, "folder");
	return 0;
}

/* Copies what fd holds into a new file dir/last, whatever was there before. */
static int put_file(int dir, const char *last, unsigned mode, uid_t owner, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat");
	(void)unlinkat(dir, last, 0);
	AUTO_CLOSE int out = open_beneath(dir, last, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (out < 0)
		return err_sys(e, "create");
	if (copy_bytes(fd, out, (uint64_t)st.st_size, e) < 0)
		return -1;
	if (fchown(out, owner, owner) < 0 || fchmod(out, mode) < 0)
		return err_sys(e, "owner and mode");
	return 0;
}

int box_put(struct box *b, const char *name, unsigned mode, int fd, struct err *e)
{
	const char *last = "";
	int is_folder = name[strlen(name) - 1] == '/';
	AUTO_CLOSE int dir = make_folders(b, name, &last, e);
	int status;

	if (dir < 0)
		return -1;
	b->places[0].has_files = 1;
	status = is_folder ? put_folder(dir, last, e)
			   : put_file(dir, last, mode, IDS_PROGRAM, fd, e);
	return status < 0 ? err_wrap(e, "%s", name) : 0;
}

/* A walk through the box that hands out regular files. */
struct take {
	uint64_t bytes_left;
	unsigned files_left;
	box_sink *sink;
	void *arg;
};

/* NOLINTBEGIN(misc-no-recursion): at most BOX_DEPTH_MAX folders deep */
static int take_at(struct take *t, int dir, const char *name, const char *path, int depth,
		   struct err *e);

static int take_folder(struct take *t, int dir, const char *path, int depth, struct err *e)
{
	char inner[BOX_PATH_MAX + NAME_MAX + 2];
	int status = 0;
	int fd = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		err_sys(e, "%s", path);
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	rewinddir(d); /* the position is shared with dir, and that of the box lives on */
	for (struct dirent *entry; status == 0 && (entry = readdir(d));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (snprintf(inner, sizeof(inner), "%s%s%s", path, path[0] ? "/" : "",
			     entry->d_name) > BOX_PATH_MAX)
			status = err_set(e, "path longer than %d bytes", BOX_PATH_MAX);
		else
			status = take_at(t, dir, entry->d_name, inner, depth + 1, e);
	}
	closedir(d);
	return status;
}

static int take_file(struct take *t, int fd, const struct stat *st, const char *path, struct err *e)
{
	uint64_t bytes = (uint64_t)st->st_size;

	if (t->files_left == 0)
		return err_set(e, "more than %d files", BOX_FILES_MAX);
	if (bytes > t->bytes_left)
		return err_set(e, "files are larger than allowed: %s", path);
	t->files_left--;
	t->bytes_left -= bytes;
	return t->sink(t->arg, path, st, fd, e);
}

/* One entry: a folder is walked, a regular file handed out, anything else is not there for us. */
static int take_at(struct take *t, int dir, const char *name, const char *path, int depth,
		   struct err *e)
{
	struct stat st;

	if (depth > BOX_DEPTH_MAX)
		return err_set(e, "folders nested too deeply: %s", path);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "%s", path);
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return 0;
	AUTO_CLOSE int fd = open_beneath(
		dir, name, O_RDONLY | O_NONBLOCK | (S_ISDIR(st.st_mode) ? O_DIRECTORY : 0), 0);

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open %s", path);
	if (S_ISDIR(st.st_mode))
		return take_folder(t, fd, path, depth, e);
	return S_ISREG(st.st_mode) ? take_file(t, fd, &st, path, e) : 0;
}

/* NOLINTEND(misc-no-recursion) */

/* "dir/" + pattern: every entry of the folder that matches. */
static int take_matches(struct take *t, int dir, const char *folder, const char *pattern,
			struct err *e)
{
	char path[BOX_PATH_MAX + NAME_MAX + 2];
	int status = 0;
	int fd = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		if (fd >= 0)
			(void)close(fd);
		return err_sys(e, "%s", folder);
	}
	for (struct dirent *entry; status == 0 && (entry = readdir(d));) {
		if (fnmatch(pattern, entry->d_name, FNM_PERIOD) != 0)
			continue;
		snprintf(path, sizeof(path), "%s%s", folder, entry->d_name);
		status = take_at(t, dir, entry->d_name, path, 0, e);
	}
	closedir(d);
	return status;
}

static int take_path(struct take *t, int box, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *last = slash ? slash + 1 : path;
	char folder[BOX_PATH_MAX + 2] = ".";

	if (slash)
		snprintf(folder, sizeof(folder), "%.*s", (int)(last - path), path);
	AUTO_CLOSE int dir = open_beneath(box, folder, O_RDONLY | O_DIRECTORY, 0);

	if (dir < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0; /* not there: box_take() says so */
	if (dir < 0)
		return err_sys(e, "open %s", folder);
	if (strchr(last, '*'))
		return take_matches(t, dir, slash ? folder : "", last, e);
	if (faccessat(dir, last, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return take_at(t, dir, last, path, 0, e);
}

int box_take(const struct box *b, char *const *paths, size_t npaths, uint64_t max_bytes,
	     box_sink *sink, void *arg, struct err *e)
{
	struct take t = {max_bytes, BOX_FILES_MAX, sink, arg};
	char path[BOX_PATH_MAX + 1];

	if (npaths == 0)
		return take_folder(&t, b->places[0].fd, "", 0, e);
	for (size_t i = 0; i < npaths; i++) {
		unsigned before = t.files_left;

		if (box_check_name(paths[i], e) < 0)
			return -1;
		snprintf(path, sizeof(path), "%s", paths[i]);
		if (path[strlen(path) - 1] == '/')
			path[strlen(path) - 1] = '\0';
		if (take_path(&t, b->places[0].fd, path, e) < 0)
			return -1;
		if (t.files_left == before) {
			errno = ENOENT;
			return err_sys(e, "%s", paths[i]);
		}
	}
	return 0;
}

/* Copies one file into the new program folder, owned by init so that no program can own it. */
static int keep_file(void *arg, const char *name, const void *stat_of_file, int fd, struct err *e)
{
	struct box *program = arg;
	const struct stat *st = stat_of_file;
	const char *last = "";
	AUTO_CLOSE int dir = make_folders(program, name, &last, e);

	if (dir < 0 ||
	    put_file(dir, last, st->st_mode & S_IXUSR ? 0555 : 0444, IDS_INIT, fd, e) < 0)
		return err_wrap(e, "%s", name);
	return 0;
}

static int seal_program(const char *target, struct err *e)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

	if (syscall(SYS_mount_setattr, AT_FDCWD, target, 0, &attr, sizeof(attr)) < 0)
		return err_sys(e, "make %s read-only", target);
	return 0;
}

int box_keep(struct box *b, char *const *paths, size_t npaths, struct err *e)
{
	struct box program = {.nplaces = 1, .places = {{.target = b->program, .fd = -1}}};
	int status;

	if (b->has_program)
		(void)umount2(b->program, MNT_DETACH);
	b->has_program = 0;
	/* Room for all that box_take() may hand out, each file in folders of its own. */
	if (place_mount(&program.places[0], BOX_KEPT_MAX + BOX_FILES_MAX * 4096ULL,
			BOX_FILES_MAX * (BOX_DEPTH_MAX + 2ULL), e) < 0)
		return -1;
	status = box_take(b, paths, npaths, BOX_KEPT_MAX, keep_file, &program, e);
	(void)close(program.places[0].fd);
	if (status < 0 || seal_program(b->program, e) < 0) {
		/* Half a program is none; and it is still writable. */
		(void)umount2(b->program, MNT_DETACH);
		return -1;
	}
	b->has_program = 1;
	b->used = 1; /* also when nothing ran: the sources must go */
	return box_prepare(b, 0, b->places[0].bytes, b->places[0].inodes, e);
}
