#include "proto/io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"

#define ALL_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

static int64_t clock_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t io_monotonic_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

int64_t io_realtime_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

int io_write_all(int fd, const void *data, size_t len, struct err *e)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "write");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t io_read_full(int fd, void *data, size_t len, struct err *e)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = read(fd, (char *)data + got, len - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read");
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

int io_read_fd(int fd, size_t max, char **data, size_t *len, struct err *e)
{
	size_t cap = 4096;
	size_t used = 0;
	AUTO_FREE char *buf = malloc(cap + 1);

	if (!buf)
		return err_set(e, "out of memory");
	for (;;) {
		ssize_t n = io_read_full(fd, buf + used, cap - used, e);

		if (n < 0)
			return -1;
		used += (size_t)n;
		if (used > max)
			return err_set(e, "larger than %zu bytes", max);
		if (used < cap)
			break;
		cap *= 2;
		char *more = realloc(buf, cap + 1);

		if (!more)
			return err_set(e, "out of memory");
		buf = more;
	}
	buf[used] = '\0';
	*len = used;
	*data = ptr_steal(&buf);
	return 0;
}

int io_read_file(const char *path, size_t max, char **data, size_t *len, struct err *e)
{
	struct stat st;
	/* O_NONBLOCK: opening a fifo must not wait for its writer. */
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_sys(e, "open %s", path);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, "%s: not a regular file", path);
	if (io_read_fd(fd, max, data, len, e) < 0)
		return err_wrap(e, "%s", path);
	return 0;
}

int io_memfd(struct err *e)
{
	AUTO_CLOSE int fd = memfd_create("gavel", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return err_sys(e, "memfd_create");
	if (fchmod(fd, 0444) < 0)
		return err_sys(e, "fchmod of a memfd");
	return fd_steal(&fd);
}

int io_memfd_seal(int fd, struct err *e)
{
	if (fcntl(fd, F_ADD_SEALS, ALL_SEALS) < 0)
		return err_sys(e, "seal a memfd");
	return 0;
}

int io_memfd_of(const void *data, size_t len, struct err *e)
{
	AUTO_CLOSE int fd = io_memfd(e);

	if (fd < 0 || io_write_all(fd, data, len, e) < 0 || io_memfd_seal(fd, e) < 0)
		return -1;
	return fd_steal(&fd);
}

int io_memfd_check(int fd, struct err *e)
{
	struct stat st;
	int seals;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat");
	if (!S_ISREG(st.st_mode))
		return err_set(e, "not a regular file");
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & ALL_SEALS) != ALL_SEALS)
		return err_set(e,
			       "not a sealed memfd (write, grow, shrink and seal must be sealed)");
	if ((st.st_mode & 0777) != 0444)
		return err_set(e, "mode of the memfd is %03o, must be 444", st.st_mode & 0777);
	return 0;
}

int io_reopen(int fd, struct err *e)
{
	char path[64];
	int out;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	out = open(path, O_RDONLY | O_CLOEXEC);
	if (out < 0)
		return err_sys(e, "open %s again", path);
	return out;
}
