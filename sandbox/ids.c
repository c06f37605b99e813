#include "sandbox/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

static uid_t default_base = IDS_BASE_DEFAULT;
static uid_t default_count = IDS_COUNT_DEFAULT;

void ids_use(uid_t base, uid_t count)
{
	default_base = base;
	default_count = count;
}

static int claim(struct ids *ids, uid_t base, uid_t count, struct err *e)
{
	AUTO_CLOSE int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* Claims of two instances must never overlap by half: every pair begins at an even id. */
	uid_t first = base + (base & 1);
	uid_t pairs = count > (base & 1) ? (count - (base & 1)) / 2 : 0;
	/* Neighbours start at different places, so that hundreds of cells do not try each other's. */
	uid_t start = (uid_t)getpid();

	if (sock < 0)
		return err_sys(e, "socket");
	for (uid_t i = 0; i < pairs; i++) {
		uid_t id = first + (start + i) % pairs * 2;
		struct sockaddr_un a = {.sun_family = AF_UNIX};
		int n = snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "gavel/ids/%u", id);

		if (bind(sock, (struct sockaddr *)&a,
			 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) ==
		    0) {
			*ids = (struct ids){
				.init = id, .program = id + 1, .claim = fd_steal(&sock)};
			return 0;
		}
		if (errno != EADDRINUSE)
			return err_sys(e, "claim ids %u", id);
	}
	return err_set(e, "no free user ids from %u to %u: all claimed by cells", base,
		       base + count - 1);
}

int ids_claim(struct ids *ids, uid_t base, uid_t count, struct err *e)
{
	return count ? claim(ids, base, count, e) : claim(ids, default_base, default_count, e);
}

void ids_release(struct ids *ids)
{
	if (ids->claim >= 0)
		(void)close(ids->claim);
	ids->claim = -1;
}

static int write_file(pid_t pid, const char *name, const char *text, struct err *e)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open %s", path);
	if (io_write_all(fd, text, strlen(text), e) < 0)
		return err_wrap(e, "%s", path);
	return 0;
}

int ids_map(const struct ids *ids, pid_t pid, struct err *e)
{
	char map[96];

	snprintf(map, sizeof(map), "%d %u 1\n%d %u 1\n", IDS_INIT, ids->init, IDS_PROGRAM,
		 ids->program);
	if (write_file(pid, "uid_map", map, e) < 0 || write_file(pid, "gid_map", map, e) < 0)
		return -1;
	return 0;
}
