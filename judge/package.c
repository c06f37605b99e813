#include "judge/package.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "judge/names.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

enum kind { KIND_NONE, KIND_FILE, KIND_FOLDER };

static int beneath(int package, const char *path, int flags)
{
	struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC),
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};

	return (int)syscall(SYS_openat2, package, path, &how, sizeof(how));
}

int package_open_folder(int package, const char *path, struct err *e)
{
	int fd = beneath(package, path, O_RDONLY | O_DIRECTORY);

	return fd < 0 ? err_sys(e, "%s", path) : fd;
}

int package_kind(int package, const char *path, struct err *e)
{
	AUTO_CLOSE int fd = beneath(package, path, O_PATH);
	struct stat st;

	if (fd < 0 && errno == ENOENT && faccessat(package, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return KIND_NONE;
	if (fd < 0 && errno == EXDEV)
		return err_set(e, "%s: a link that leads out of the package", path);
	if (fd < 0)
		return err_sys(e, "%s", path);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	if (S_ISREG(st.st_mode))
		return KIND_FILE;
	if (S_ISDIR(st.st_mode))
		return KIND_FOLDER;
	return err_set(e, "%s: neither a file nor a folder", path);
}

int package_open_file(int package, const char *path, struct err *e)
{
	int kind = package_kind(package, path, e);
	AUTO_CLOSE int fd = -1;
	struct stat st;

	if (kind < 0)
		return -1;
	if (kind != KIND_FILE) {
		err_set(e, "%s: expected a file", path);
		e->num = kind == KIND_NONE ? ENOENT : EISDIR;
		return -1;
	}
	fd = beneath(package, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, "%s: changed while it was opened", path);
	return fd_steal(&fd);
}

int package_read(int package, const char *path, size_t max, char **data, size_t *len, struct err *e)
{
	AUTO_CLOSE int fd = package_open_file(package, path, e);

	if (fd < 0)
		return -1;
	if (io_read_fd(fd, max, data, len, e) < 0)
		return err_wrap(e, "%s", path);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct package_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int add_entry(int package, const char *path, const char *name, struct package_entry *out,
		     struct err *e)
{
	AUTO_FREE char *full = NULL;
	int kind;

	if (names_package_file(name, e) < 0)
		return err_wrap(e, "%s", path);
	if (asprintf(&full, "%s/%s", path, name) < 0) {
		full = NULL;
		return err_sys(e, "%s", path);
	}
	kind = package_kind(package, full, e);
	if (kind < 0)
		return -1;
	if (kind == KIND_NONE)
		return err_set(e, "%s: a link that leads nowhere", full);
	out->folder = kind == KIND_FOLDER;
	out->name = strdup(name);
	return out->name ? 0 : err_sys(e, "%s", full);
}

/* Room for one more, cleared. */
static int grow(struct package_entry **list, size_t n, size_t *room)
{
	struct package_entry *grown;

	if (n < *room)
		return 0;
	*room = *room ? *room * 2 : 16;
	grown = reallocarray(*list, *room, sizeof(*grown));
	if (!grown)
		return -1;
	*list = grown;
	return 0;
}

static int read_entries(int package, const char *path, DIR *dir, struct package_entry **out,
			size_t *n, struct err *e)
{
	size_t room = 0;

	for (;;) {
		const struct dirent *d;

		errno = 0;
		d = readdir(dir); /* NOLINT(concurrency-mt-unsafe): dir is ours alone */
		if (!d)
			return errno ? err_sys(e, "%s", path) : 0;
		if (d->d_name[0] == '.')
			continue;
		if (*n == PACKAGE_ENTRIES_MAX)
			return err_set(e, "%s: more than %d files", path, PACKAGE_ENTRIES_MAX);
		if (grow(out, *n, &room) < 0)
			return err_sys(e, "%s", path);
		if (add_entry(package, path, d->d_name, &(*out)[*n], e) < 0)
			return -1;
		++*n;
	}
}

int package_list(int package, const char *path, struct package_entry **out, size_t *n,
		 struct err *e)
{
	int kind = package_kind(package, path, e);
	int fd, rc;
	DIR *dir;

	*out = NULL;
	*n = 0;
	if (kind < 0)
		return -1;
	if (kind == KIND_NONE)
		return 0;
	if (kind == KIND_FILE)
		return err_set(e, "%s: expected a folder", path);
	fd = beneath(package, path, O_RDONLY | O_DIRECTORY);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		err_sys(e, "%s", path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	rc = read_entries(package, path, dir, out, n, e);
	closedir(dir);
	if (rc < 0) {
		package_list_free(*out, *n);
		*out = NULL;
		*n = 0;
		return -1;
	}
	if (*n > 0)
		qsort(*out, *n, sizeof(**out), by_name);
	return 0;
}

void package_list_free(struct package_entry *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i].name);
	free(list);
}
