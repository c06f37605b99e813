#include "sandbox/cgroup_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define PROCS_MAX      (16U << 20) /* bytes of a cgroup.procs file: more than two million processes */
#define KILL_BATCH     64          /* pidfds held at a time */
#define KILL_PASSES    1000
#define NAP_FIRST_US   50
#define NAP_LONGEST_US 4000

struct pids {
	pid_t *list; /* ascending */
	size_t n;
};

#define AUTO_PIDS __attribute__((cleanup(pids_release)))

static void pids_release(struct pids *p)
{
	free(p->list);
	*p = (struct pids){0};
}

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

	if (cgroup_dir_pread(fd, text, sizeof(text), e) < 0)
		return -1;
	if (cgroup_dir_number(text, value))
		return 0;
	cgroup_dir_path(fd, "", path, sizeof(path));
	return err_set(e, "%s: '%s' is not a number", path, text);
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

static int pid_compare(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a;
	pid_t y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

static bool pids_have(const struct pids *p, pid_t pid)
{
	return p->n > 0 && bsearch(&pid, p->list, p->n, sizeof(pid), pid_compare);
}

static bool pids_within(const struct pids *p, const struct pids *all)
{
	for (size_t i = 0; i < p->n; i++)
		if (!pids_have(all, p->list[i]))
			return false;
	return true;
}

/*
 * The processes in the folder.  The file is opened each time: on v1 the kernel goes on answering from a list it made
 * earlier when an open file is read again.  A process of an outer pid namespace shows as 0 and is left out.
 */
static int pids_read(int dir, struct pids *p, struct err *e)
{
	size_t len;
	AUTO_FREE char *text = NULL;
	AUTO_CLOSE int fd = cgroup_dir_file(dir, "cgroup.procs", O_RDONLY, e);

	*p = (struct pids){0};
	if (fd < 0)
		return -1;
	if (io_read_fd(fd, PROCS_MAX, &text, &len, e) < 0)
		return err_wrap(e, "cgroup.procs");
	p->list = malloc((len / 2 + 1) *
			 sizeof(*p->list)); /* a pid and its newline: at least two bytes */
	if (!p->list)
		return err_set(e, "out of memory");
	for (char *s = text; *s;) {
		long pid = strtol(s, &s, 10);

		s += strcspn(s, "\n");
		s += *s == '\n';
		if (pid > 0)
			p->list[p->n++] = (pid_t)pid;
	}
	qsort(p->list, p->n, sizeof(*p->list), pid_compare);
	return 0;
}

/*
 * Kills up to KILL_BATCH processes.  Between reading a pid and using it the number can come to belong to a stranger; so
 * the pidfds are taken first, and only those whose pid is still listed afterwards are used.
 */
static int kill_batch(int dir, const pid_t *list, size_t n, struct err *e)
{
	int fds[KILL_BATCH];
	AUTO_PIDS struct pids now = {0};

	for (size_t i = 0; i < n; i++)
		fds[i] = (int)syscall(SYS_pidfd_open, list[i], 0);
	int rc = pids_read(dir, &now, e);

	for (size_t i = 0; i < n; i++) {
		if (fds[i] < 0)
			continue;
		if (rc == 0 && pids_have(&now, list[i]))
			(void)syscall(SYS_pidfd_send_signal, fds[i], SIGKILL, NULL, 0);
		(void)close(fds[i]);
	}
	return rc;
}

static int kill_listed(int dir, const struct pids *p, struct err *e)
{
	for (size_t i = 0; i < p->n; i += KILL_BATCH) {
		size_t n = p->n - i < KILL_BATCH ? p->n - i : KILL_BATCH;

		if (kill_batch(dir, p->list + i, n, e) < 0)
			return -1;
	}
	return 0;
}

/*
 * Without cgroup.kill (v1, v2 before 5.14): once pids.max is 0 nothing can be forked, and a process with a SIGKILL pending
 * cannot finish a fork, so the list only shrinks; done when a list holds nobody who was not in the one before.
 */
static int kill_each(int dir, struct err *e)
{
	AUTO_PIDS struct pids before = {0};

	if (cgroup_dir_has(dir, "pids.max") && cgroup_dir_write(dir, "pids.max", "0", e) < 0)
		return -1;
	for (int pass = 0; pass < KILL_PASSES; pass++) {
		struct pids now = {0};

		if (pids_read(dir, &now, e) < 0 || kill_listed(dir, &now, e) < 0) {
			pids_release(&now);
			return -1;
		}
		bool done = pids_within(&now, &before);

		pids_release(&before);
		before = now;
		if (done)
			return 0;
	}
	return err_set(e, "%zu processes survive being killed", before.n);
}

int cgroup_dir_kill(int dir, struct err *e)
{
	if (cgroup_dir_has(dir, "cgroup.kill"))
		return cgroup_dir_write(dir, "cgroup.kill", "1", e);
	return kill_each(dir, e);
}

/* Returns 1 if no live process is in it, 0 if there is one, -1 on error. */
static int dir_empty(int dir, struct err *e)
{
	char text[256];
	uint64_t populated;
	AUTO_PIDS struct pids p = {0};

	if (cgroup_dir_has(dir, "cgroup.events")) {
		if (cgroup_dir_read(dir, "cgroup.events", text, sizeof(text), e) < 0)
			return -1;
		if (!cgroup_dir_key(text, "populated", &populated))
			return err_set(e, "cgroup.events says nothing about 'populated'");
		return populated == 0;
	}
	if (pids_read(dir, &p, e) < 0)
		return -1;
	return p.n == 0;
}

/* Sleeps, longer each time; false once the deadline has passed. */
static bool nap(int64_t deadline_us, long *us)
{
	struct timespec t = {.tv_nsec = *us * 1000};

	if (io_monotonic_us() >= deadline_us)
		return false;
	(void)nanosleep(&t, NULL);
	*us = *us * 2 > NAP_LONGEST_US ? NAP_LONGEST_US : *us * 2;
	return true;
}

int cgroup_dir_wait_empty(int dir, int timeout_ms, struct err *e)
{
	int64_t deadline_us = io_monotonic_us() + (int64_t)timeout_ms * 1000;
	long us = NAP_FIRST_US;
	char path[200];

	for (;;) {
		int empty = dir_empty(dir, e);

		if (empty)
			return empty < 0 ? -1 : 0;
		if (!nap(deadline_us, &us))
			break;
	}
	cgroup_dir_path(dir, "", path, sizeof(path));
	return err_set(e, "%s: processes still alive after %d ms", path, timeout_ms);
}

/* Appends the name of some folder in parent/path to path; false if there is none, or no room. */
static bool descend(int parent, char *path, size_t size)
{
	bool found = false;
	int fd = openat(parent, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		scope_close(&fd);
		return false;
	}
	for (struct dirent *de = readdir(d); de && !found; de = readdir(d)) {
		size_t len = strlen(path);

		if (de->d_type != DT_DIR || de->d_name[0] == '.' ||
		    len + strlen(de->d_name) + 2 > size)
			continue;
		snprintf(path + len, size - len, "/%s", de->d_name);
		found = true;
	}
	(void)closedir(d);
	return found;
}

static int remove_leaf(int parent, const char *path, int64_t deadline_us, struct err *e)
{
	long us = NAP_FIRST_US;

	for (;;) {
		if (unlinkat(parent, path, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY)
			return file_err(e, "rmdir", parent, path);
		AUTO_CLOSE int dir = openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (dir >= 0 && cgroup_dir_kill(dir, e) < 0)
			return -1;
		if (!nap(deadline_us, &us)) {
			errno = EBUSY;
			return file_err(e, "rmdir", parent, path);
		}
	}
}

int cgroup_dir_remove(int parent, const char *name, int timeout_ms, struct err *e)
{
	int64_t deadline_us = io_monotonic_us() + (int64_t)timeout_ms * 1000;
	char path[1024];

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
	int rc = 0;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		scope_close(&fd);
		return file_err(e, "open", dir, "");
	}
	for (struct dirent *de = readdir(d); de; de = readdir(d)) {
		if (de->d_type != DT_DIR || de->d_name[0] == '.' || strcmp(de->d_name, except) == 0)
			continue;
		if (cgroup_dir_remove(dir, de->d_name, timeout_ms, e) < 0)
			rc = -1;
	}
	(void)closedir(d);
	return rc;
}
