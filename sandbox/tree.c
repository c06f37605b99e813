#include "sandbox/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/digest.h"

/* Appends a component to out, which has len bytes of them already; returns the new length. */
static ssize_t add_component(char *out, size_t len, const char *name, size_t n, struct err *e)
{
	if (n == 2 && name[0] == '.' && name[1] == '.')
		return err_set(e, "has '..'");
	if (n > TREE_NAME_MAX)
		return err_set(e, "a name is longer than %d bytes", TREE_NAME_MAX);
	if (n == 0 || (n == 1 && name[0] == '.'))
		return (ssize_t)len;
	if (len + n + 2 > TREE_PATH_BYTES)
		return err_set(e, "is longer than %d bytes", TREE_PATH_BYTES - 1);
	if (len > 0)
		out[len++] = '/';
	memcpy(out + len, name, n);
	return (ssize_t)(len + n);
}

static int depth_of(const char *path)
{
	int depth = *path != '\0';

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

int tree_normalise(const char *given, char *out, struct err *e)
{
	ssize_t len = 0;

	if (given[0] == '/')
		return err_set(e, "'%.100s': is absolute", given);
	for (const char *p = given; *p;) {
		size_t n = strcspn(p, "/");

		len = add_component(out, (size_t)len, p, n, e);
		if (len < 0)
			return err_wrap(e, "'%.60s'", given);
		p += n + (p[n] == '/');
	}
	out[len] = '\0';
	if (depth_of(out) > TREE_DEPTH_MAX)
		return err_set(e, "'%.60s': is nested more than %d deep", given, TREE_DEPTH_MAX);
	return 0;
}

static int resolve(int tree, const char *path, uint64_t how)
{
	struct open_how h = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
			     .resolve = how | RESOLVE_NO_MAGICLINKS};
	int fd;

	/* EAGAIN: something on the machine was renamed while ".." in a link was looked up. */
	for (int tries = 0; tries < 100; tries++) {
		fd = (int)syscall(SYS_openat2, tree, path, &h, sizeof(h));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

static int same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Where links were followed the path does not tell how deep it ended: counts the way up. */
static int check_depth(int tree, int folder, const char *path, struct err *e)
{
	struct stat top, here;
	AUTO_CLOSE int at = openat(folder, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (at < 0 || fstat(tree, &top) < 0 || fstat(at, &here) < 0)
		return err_sys(e, "%.100s", path);
	for (int depth = 1; depth < TREE_DEPTH_MAX; depth++) {
		if (same_file(&top, &here))
			return 0;
		int up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (up < 0)
			return err_sys(e, "%.100s: ..", path);
		(void)close(at);
		at = up;
		if (fstat(at, &here) < 0)
			return err_sys(e, "%.100s", path);
	}
	return err_set(e, "'%.60s...': is nested more than %d deep, through links", path,
		       TREE_DEPTH_MAX);
}

static int open_folder(int tree, const char *path, struct err *e)
{
	AUTO_CLOSE int fd = resolve(tree, path, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);

	if (fd >= 0 || errno != ELOOP)
		return fd < 0 ? err_sys(e, "%.100s", path) : fd_steal(&fd);
	fd = resolve(tree, path, RESOLVE_IN_ROOT);
	if (fd < 0)
		return err_sys(e, "%.100s", path);
	return check_depth(tree, fd, path, e) < 0 ? -1 : fd_steal(&fd);
}

/* The folder that path names, made if need be; `at` is the one it is in, `name` its last component. */
static int enter(int tree, const char *path, int at, const char *name, struct err *e)
{
	int fd = open_folder(tree, path, e);

	if (fd >= 0 || e->num != ENOENT)
		return fd;
	if (mkdirat(at, name, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "mkdir %.100s", path);
	return open_folder(tree, path, e);
}

/* All folders of the path, from the top. */
static int make_folders(int tree, char *path, struct err *e)
{
	AUTO_CLOSE int at = openat(tree, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (at < 0)
		return err_sys(e, "open the tree");
	for (char *name = path, *end; name; name = end) {
		end = strchr(name, '/');
		if (end)
			*end = '\0';
		int next = enter(tree, path, at, name, e);

		if (next < 0)
			return -1;
		(void)close(at);
		at = next;
		if (end)
			*end++ = '/';
	}
	return fd_steal(&at);
}

int tree_parent(int tree, const char *path, int make, const char **base, struct err *e)
{
	char folder[TREE_PATH_BYTES];
	const char *slash = strrchr(path, '/');
	int fd;

	*base = slash ? slash + 1 : path;
	if (!slash) {
		fd = openat(tree, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		return fd < 0 ? err_sys(e, "open the tree") : fd;
	}
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	fd = open_folder(tree, folder, e);
	if (fd >= 0 || !make || e->num != ENOENT)
		return fd;
	return make_folders(tree, folder, e);
}

static int is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int empty(int folder, int depth, struct err *e);

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree, which has a limit */
static int remove_entry(int folder, const char *name, int depth, struct err *e)
{
	AUTO_CLOSE int below = -1;

	if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return err_sys(e, "remove %.100s", name);
	if (depth == 0)
		return err_set(e, "remove %.100s: nested too deep", name);
	below = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (below < 0)
		return err_sys(e, "remove %.100s", name);
	if (empty(below, depth - 1, e) < 0)
		return -1;
	return unlinkat(folder, name, AT_REMOVEDIR) < 0 ? err_sys(e, "remove %.100s", name) : 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree, which has a limit */
static int empty(int folder, int depth, struct err *e)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	int status = 0;

	if (!d) {
		err_sys(e, "open a folder to remove it");
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	for (struct dirent *entry; status == 0 && (entry = readdir(d));)
		if (!is_dots(entry->d_name))
			status = remove_entry(fd, entry->d_name, depth, e);
	closedir(d);
	return status;
}

int tree_empty(int folder, struct err *e)
{
	return empty(folder, 2 * TREE_DEPTH_MAX, e);
}

int tree_remove(int parent, const char *name, struct err *e)
{
	return remove_entry(parent, name, 2 * TREE_DEPTH_MAX, e);
}

/* Called for every entry, a folder before what is in it. */
typedef int visit_fn(int parent, const char *name, const struct stat *st, int depth, void *arg,
		     struct err *e);

static int walk(int folder, int depth, visit_fn *visit, void *arg, struct err *e);

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree, which has a limit */
static int walk_entry(int folder, const char *name, int depth, visit_fn *visit, void *arg,
		      struct err *e)
{
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "%.100s", name);
	if (visit(folder, name, &st, depth, arg, e) < 0)
		return -1;
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (depth == TREE_DEPTH_MAX)
		return err_set(e, "%.100s: nested more than %d deep", name, TREE_DEPTH_MAX);
	AUTO_CLOSE int below =
		openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return below < 0 ? err_sys(e, "%.100s", name) : walk(below, depth + 1, visit, arg, e);
}

/* In the order of names. NOLINTNEXTLINE(misc-no-recursion): as deep as the tree, which has a limit */
static int walk(int folder, int depth, visit_fn *visit, void *arg, struct err *e)
{
	struct dirent **entries = NULL;
	int n = scandirat(folder, ".", &entries, NULL, alphasort);
	int status = n < 0 ? err_sys(e, "read a folder of the tree") : 0;

	for (int i = 0; i < n; i++) {
		if (status == 0 && !is_dots(entries[i]->d_name))
			status = walk_entry(folder, entries[i]->d_name, depth, visit, arg, e);
		free(entries[i]);
	}
	free(entries);
	return status;
}

static int adopt(int parent, const char *name, const struct stat *st, int depth, void *arg,
		 struct err *e)
{
	mode_t need = S_ISDIR(st->st_mode) ? 0555 : 0444;

	(void)depth;
	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode) && !S_ISLNK(st->st_mode))
		return err_set(e, "%.100s: is no file, folder or link", name);
	if (!S_ISLNK(st->st_mode) && ((st->st_mode & 07000) || (st->st_mode & need) != need))
		return err_set(e, "%.100s: has mode %04o", name, st->st_mode & 07777);
	/* A file with several names was adopted at the first of them. */
	if (st->st_nlink > 1 && !S_ISDIR(st->st_mode) && st->st_uid == geteuid())
		return 0;
	if (st->st_uid != *(const uid_t *)arg)
		return err_set(e, "%.100s: belongs to %u", name, st->st_uid);
	if (fchownat(parent, name, geteuid(), getegid(), AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "chown %.100s", name);
	return 0;
}

int tree_adopt(int tree, uid_t from, struct err *e)
{
	if (walk(tree, 1, adopt, &from, e) < 0)
		return -1;
	return fchown(tree, geteuid(), getegid()) < 0 ? err_sys(e, "chown the tree") : 0;
}

static int seal(int parent, const char *name, const struct stat *st, int depth, void *arg,
		struct err *e)
{
	char text[TREE_PATH_BYTES] = "";
	char line[TREE_NAME_MAX + 300];
	int n;

	if (S_ISLNK(st->st_mode) && readlinkat(parent, name, text, sizeof(text) - 1) < 0)
		return err_sys(e, "readlink %.100s", name);
	n = snprintf(line, sizeof(line), "%d %s %zu %o %u:%u %lld %llu %lld.%09ld %lld.%09ld",
		     depth, name, strlen(text), st->st_mode, st->st_uid, st->st_gid,
		     S_ISDIR(st->st_mode) ? 0LL : (long long)st->st_size,
		     (unsigned long long)st->st_ino, (long long)st->st_mtim.tv_sec,
		     st->st_mtim.tv_nsec, (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
	if (digest_add(arg, line, (size_t)n + 1, e) < 0)
		return -1;
	return digest_add(arg, text, strlen(text), e);
}

int tree_seal(int tree, char hex[65], struct err *e)
{
	struct digest d;

	if (digest_open(&d, e) < 0)
		return -1;
	if (walk(tree, 1, seal, &d, e) < 0) {
		digest_drop(&d);
		return -1;
	}
	return digest_close(&d, hex, e);
}
