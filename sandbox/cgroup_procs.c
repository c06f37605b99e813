#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/cgroup_dir.h"

#define PROCS_MAX   (16U << 20) /* bytes of a cgroup.procs file: more than two million processes */
#define KILL_BATCH  64          /* pidfds held at a time */
#define KILL_PASSES 1000

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

int cgroup_dir_wait_empty(int dir, int timeout_ms, struct err *e)
{
	int64_t deadline_us = io_monotonic_us() + (int64_t)timeout_ms * 1000;
	long us = CGROUP_DIR_NAP_US;
	char path[200];

	for (;;) {
		int empty = dir_empty(dir, e);

		if (empty)
			return empty < 0 ? -1 : 0;
		if (!cgroup_dir_nap(deadline_us, &us))
			break;
	}
	cgroup_dir_path(dir, "", path, sizeof(path));
	return err_set(e, "%s: processes still alive after %d ms", path, timeout_ms);
}
