#include "sandbox/cgroup_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define NAP_LONGEST_US 4000

void cgroup_dir_path(int dir, const char *file, char *path, size_t len)
{
	char link[64];
	char target[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	n = readlink(link, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	snprintf(path, len, "%s%s%s", target, *file ? "/" : "", file);
}

/* err_sys() about a file of an open folder. */
static int file_err(struct err *e, const char *what, int dir, const char *file)
{
	int num = errno;
	char path[200];

	cgroup_dir_path(dir, file, path, sizeof(path));
	errno = num;
	return err_sys(e, "%s %s", what, path);
}

int cgroup_dir_open(int parent, const char *name, struct err *e)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? file_err(e, "open", parent, name) : fd;
}

int cgroup_dir_make(int parent, const char *name, struct err *e)
{
	int fd;

	if (mkdirat(parent, name, 0755) < 0)
		return file_err(e, "mkdir", parent, name);
	fd = cgroup_dir_open(parent, name, e);
	if (fd < 0)
		(void)unlinkat(parent, name, AT_REMOVEDIR);
	return fd;
}

bool cgroup_dir_has(int dir, const char *file)
{
	return faccessat(dir, file, F_OK, 0) == 0;
}

int cgroup_dir_file(int dir, const char *file, int flags, struct err *e)
{
	int fd = openat(dir, file, flags | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? file_err(e, "open", dir, file) : fd;
}

int cgroup_dir_file_if_any(int dir, const char *file, int *fd, struct err *e)
{
	*fd = dir < 0 ? -1 : openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return *fd < 0 && dir >= 0 && errno != ENOENT ? file_err(e, "open", dir, file) : 0;
}

int cgroup_dir_write(int dir, const char *file, const char *text, struct err *e)
{
	char what[96];
	AUTO_CLOSE int fd = cgroup_dir_file(dir, file, O_WRONLY, e);

	if (fd < 0)
		return -1;
	if (write(fd, text, strlen(text)) >= 0)
		return 0;
	snprintf(what, sizeof(what), "write '%s' to", text);
	return file_err(e, what, dir, file);
}

int cgroup_dir_write_u64(int dir, const char *file, uint64_t value, struct err *e)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return cgroup_dir_write(dir, file, text, e);
}

ssize_t cgroup_dir_pread(int fd, char *text, size_t size, struct err *e)
{
	size_t len = 0;

	while (len < size - 1) {
		ssize_t n = pread(fd, text + len, size - 1 - len, (off_t)len);

		if (n < 0)
			return file_err(e, "read", fd, "");
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (len > 0 && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	return (ssize_t)len;
}

ssize_t cgroup_dir_read(int dir, const char *file, char *text, size_t size, struct err *e)
{
	AUTO_CLOSE int fd = cgroup_dir_file(dir, file, O_RDONLY, e);

	return fd < 0 ? -1 : cgroup_dir_pread(fd, text, size, e);
}

bool cgroup_dir_number(const char *text, uint64_t *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0';
}

int cgroup_dir_pread_u64(int fd, uint64_t *value, struct err *e)
{
	char text[32];
	char path[200];
	ssize_t n =
		pread(fd, text, sizeof(text) - 1, 0); /* the kernel writes a number in one piece */

	if (n < 0)
		return file_err(e, "read", fd, "");
	n -= n > 0 && text[n - 1] == '\n';
	text[n] = '\0';
	if (cgroup_dir_number(text, value))
		return 0;
	cgroup_dir_path(fd, "", path, sizeof(path));
	return err_set(e, "%s: '%s' is not a number", path, text);
}

int cgroup_dir_set_u64(int dir, const char *file, uint64_t value, uint64_t *got, struct err *e)
{
	char text[24];
	char what[64];
	int len = snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	AUTO_CLOSE int fd = cgroup_dir_file(dir, file, O_RDWR, e);

	if (fd < 0)
		return -1;
	if (write(fd, text, (size_t)len) == len)
		return cgroup_dir_pread_u64(fd, got, e);
	snprintf(what, sizeof(what), "write '%s' to", text);
	return file_err(e, what, dir, file);
}

int cgroup_dir_read_u64(int dir, const char *file, uint64_t *value, struct err *e)
{
	AUTO_CLOSE int fd = cgroup_dir_file(dir, file, O_RDONLY, e);

	return fd < 0 ? -1 : cgroup_dir_pread_u64(fd, value, e);
}

bool cgroup_dir_key(const char *text, const char *key, uint64_t *value)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) != 0 || (line[len] != ' ' && line[len] != '='))
			continue;
		if (line[len + 1] < '0' || line[len + 1] > '9')
			return false;
		*value = strtoull(line + len + 1, NULL, 10);
		return true;
	}
	return false;
}

bool cgroup_dir_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; *p; p += strcspn(p, " ")) {
		p += strspn(p, " ");
		if (strcspn(p, " ") == len && strncmp(p, word, len) == 0)
			return true;
	}
	return false;
}

bool cgroup_dir_nap(int64_t deadline_us, long *us)
{
	struct timespec t = {.tv_nsec = *us * 1000};

	if (io_monotonic_us() >= deadline_us)
		return false;
	(void)nanosleep(&t, NULL);
	*us = *us * 2 > NAP_LONGEST_US ? NAP_LONGEST_US : *us * 2;
	return true;
}

/* For scandirat(3): the folders of a folder. */
static int is_child(const struct dirent *de)
{
	return de->d_type == DT_DIR && de->d_name[0] != '.';
}

static void names_free(struct dirent **names, int n)
{
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

/* Appends the name of some folder in parent/path to path; false if there is none, or no room. */
static bool descend(int parent, char *path, size_t size)
{
	struct dirent **names = NULL;
	int n = scandirat(parent, path, &names, is_child, NULL);
	size_t len = strlen(path);
	bool found = n > 0 && len + strlen(names[0]->d_name) + 2 <= size;

	if (found)
		snprintf(path + len, size - len, "/%s", names[0]->d_name);
	names_free(names, n);
	return found;
}

static int remove_leaf(int parent, const char *path, int64_t deadline_us, struct err *e)
{
	long us = CGROUP_DIR_NAP_US;

	for (;;) {
		if (unlinkat(parent, path, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY)
			return file_err(e, "rmdir", parent, path);
		AUTO_CLOSE int dir = openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (dir >= 0 && cgroup_dir_kill(dir, e) < 0)
			return -1;
		if (!cgroup_dir_nap(deadline_us, &us)) {
			errno = EBUSY;
			return file_err(e, "rmdir", parent, path);
		}
	}
}

int cgroup_dir_remove(int parent, const char *name, int timeout_ms, struct err *e)
{
	int64_t deadline_us = io_monotonic_us() + (int64_t)timeout_ms * 1000;
	char path[1024];

	/* Nearly always there is nothing beneath it and nobody in it. */
	if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	do {
		snprintf(path, sizeof(path), "%s", name);
		while (descend(parent, path, sizeof(path)))
			continue;
		if (remove_leaf(parent, path, deadline_us, e) < 0)
			return -1;
	} while (strcmp(path, name) != 0);
	return 0;
}

int cgroup_dir_remove_children(int dir, const char *except, int timeout_ms, struct err *e)
{
	struct dirent **names = NULL;
	int n = scandirat(dir, ".", &names, is_child, NULL);
	int rc = 0;

	if (n < 0)
		return file_err(e, "read", dir, "");
	for (int i = 0; i < n; i++)
		if (strcmp(names[i]->d_name, except) != 0 &&
		    cgroup_dir_remove(dir, names[i]->d_name, timeout_ms, e) < 0)
			rc = -1;
	names_free(names, n);
	return rc;
}
