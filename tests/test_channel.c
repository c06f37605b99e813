#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/channel.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/sandbox.pb-c.h"
#include "proto/scope.h"

static struct channel_frame frame; /* too large for a stack */

static void make_pair(int pair[2])
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void close_pair(const int pair[2])
{
	(void)close(pair[0]);
	(void)close(pair[1]);
}

static size_t descriptors(void)
{
	size_t n = 0;
	DIR *d = opendir("/proc/self/fd");

	while (d && readdir(d))
		n++;
	closedir(d);
	return n;
}

Test(channel, carries_messages_and_descriptors, .timeout = 30)
{
	int pair[2];
	struct err e = {0};
	Sandbox__Request rq = SANDBOX__REQUEST__INIT;
	char *paths[] = {(char *)"a", (char *)"b/c"};
	int many[CHANNEL_FDS_MAX];
	char text[8] = "";

	make_pair(pair);
	size_t before = descriptors();
	AUTO_CLOSE int fd = io_memfd_of("bytes", 5, &e);

	rq.kind = SANDBOX__REQUEST__KIND__FETCH;
	rq.paths = paths;
	rq.n_paths = 2;
	for (size_t i = 0; i < CHANNEL_FDS_MAX; i++)
		many[i] = fd;
	cr_assert_eq(channel_send(pair[0], &rq.base, many, CHANNEL_FDS_MAX, &e), 0, "%s", e.msg);
	cr_assert_eq(channel_receive(pair[1], 1000, &frame, &e), 1, "%s", e.msg);
	cr_expect_eq(frame.nfds, CHANNEL_FDS_MAX);
	cr_expect_eq(pread(frame.fds[199], text, 5, 0), 5);
	cr_expect_str_eq(text, "bytes");
	cr_expect_eq(fcntl(frame.fds[0], F_GETFD), FD_CLOEXEC);
	Sandbox__Request *got =
		(Sandbox__Request *)channel_unpack(&frame, &sandbox__request__descriptor, &e);

	cr_assert_not_null(got, "%s", e.msg);
	cr_expect_eq(got->n_paths, 2);
	cr_expect_str_eq(got->paths[1], "b/c");
	sandbox__request__free_unpacked(got, NULL);
	channel_frame_release(&frame);
	cr_expect_eq(descriptors(), before + 1);
	close_pair(pair);
}

Test(channel, refuses_to_send_what_does_not_fit, .timeout = 30)
{
	int pair[2];
	struct err e = {0};
	static char large[CHANNEL_FRAME_MAX];
	int many[CHANNEL_FDS_MAX + 1] = {0};
	Sandbox__Reply r = SANDBOX__REPLY__INIT;

	make_pair(pair);
	cr_expect_eq(channel_send(pair[0], &r.base, NULL, 0, &e), -1); /* packs to nothing */
	cr_expect_not_null(strstr(e.msg, "frame of 0 bytes"), "%s", e.msg);
	memset(large, 'x', sizeof(large) - 1);
	r.error = large; /* and four bytes of tag and length */
	cr_expect_eq(channel_send(pair[0], &r.base, NULL, 0, &e), -1);
	cr_expect_not_null(strstr(e.msg, "frame of 65539 bytes"), "%s", e.msg);
	large[CHANNEL_FRAME_MAX - 4] = '\0';
	cr_expect_eq(channel_send(pair[0], &r.base, NULL, 0, &e), 0, "%s", e.msg);
	cr_expect_eq(channel_receive(pair[1], 1000, &frame, &e), 1);
	cr_expect_eq(frame.len, CHANNEL_FRAME_MAX);
	r.error = (char *)"x";
	cr_expect_eq(channel_send(pair[0], &r.base, many, CHANNEL_FDS_MAX + 1, &e), -1);
	cr_expect_not_null(strstr(e.msg, "201 descriptors"), "%s", e.msg);
	close_pair(pair);
}

/* Whatever comes, nothing is kept of it. */
Test(channel, receives_only_whole_frames, .timeout = 30)
{
	int pair[2];
	struct err e = {0};
	static uint8_t large[CHANNEL_FRAME_MAX + 1];
	int fd = STDIN_FILENO;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * (CHANNEL_FDS_MAX + 1))];
	} control = {0};
	struct iovec iov = {large, 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	make_pair(pair);
	size_t before = descriptors();

	cr_assert_eq(send(pair[0], large, sizeof(large), 0), sizeof(large));
	cr_expect_eq(channel_receive(pair[1], 1000, &frame, &e), -1);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int) * (CHANNEL_FDS_MAX + 1));
	for (size_t i = 0; i <= CHANNEL_FDS_MAX; i++)
		memcpy(CMSG_DATA(h) + i * sizeof(int), &fd, sizeof(fd));
	cr_assert_eq(sendmsg(pair[0], &m, 0), 1);
	cr_expect_eq(channel_receive(pair[1], 1000, &frame, &e), -1);
	cr_expect_eq(frame.nfds, 0);
	iov.iov_len = 0; /* descriptors without a message */
	m.msg_controllen = CMSG_SPACE(sizeof(int));
	h->cmsg_len = CMSG_LEN(sizeof(int));
	cr_assert_eq(sendmsg(pair[0], &m, 0), 0);
	cr_expect_eq(channel_receive(pair[1], 1000, &frame, &e), -1);
	cr_expect_eq(descriptors(), before);
	cr_expect_eq(channel_receive(pair[1], 20, &frame, &e), -1);
	cr_expect_eq(e.num, ETIMEDOUT);
	cr_assert_eq(send(pair[0], "\x08", 1, 0), 1);
	cr_assert_eq(channel_receive(pair[1], 1000, &frame, &e), 1);
	cr_expect_null(channel_unpack(&frame, &sandbox__request__descriptor, &e));
	cr_expect_not_null(strstr(e.msg, "kind"), "%s", e.msg);
	(void)close(pair[0]);
	cr_expect_eq(channel_receive(pair[1], 1000, &frame, &e), 0);
	(void)close(pair[1]);
}

Test(channel, a_peer_that_is_gone_is_an_error, .timeout = 30)
{
	int pair[2];
	struct err e = {0};
	Sandbox__Reply r = SANDBOX__REPLY__INIT;

	make_pair(pair);
	r.last = 1;
	(void)close(pair[1]);
	cr_expect_eq(channel_send(pair[0], &r.base, NULL, 0, &e), -1);
	cr_expect_eq(e.num, EPIPE); /* and no SIGPIPE */
	(void)close(pair[0]);
}

/* A folder of its own for each test. */
static void make_folder(char *dir, char *path, size_t size)
{
	strncpy(dir, "/tmp/gavel-channel-XXXXXX", 32);
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, size, "%s/s", dir);
}

Test(channel, listens_where_nobody_does, .timeout = 30)
{
	char dir[32];
	char path[64];
	struct err e = {0};
	struct stat st;

	make_folder(dir, path, sizeof(path));
	cr_expect_eq(channel_connect(path, &e), -1);
	cr_expect_eq(e.num, ENOENT);
	int first = channel_listen(path, 1, &e);

	cr_assert_geq(first, 0, "%s", e.msg);
	cr_expect_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0666);
	cr_expect_eq(channel_listen(path, 1, &e), -1);
	cr_expect_not_null(strstr(e.msg, "another server"), "%s", e.msg);
	(void)close(first);
	cr_expect_eq(channel_connect(path, &e), -1);
	cr_expect_eq(e.num, ECONNREFUSED);
	AUTO_CLOSE int second = channel_listen(path, 1, &e); /* over the dead one */

	cr_assert_geq(second, 0, "%s", e.msg);
	AUTO_CLOSE int a = channel_connect(path, &e);

	cr_expect_geq(a, 0, "%s", e.msg);
	AUTO_CLOSE int b = channel_connect_within(path, 100, &e);
	AUTO_CLOSE int c = channel_connect_within(path, 100, &e);

	cr_expect_geq(b, 0);
	cr_expect_eq(c, -1, "the backlog has no end");
	cr_expect_eq(e.num, ETIMEDOUT);
	cr_expect_eq(unlink(path), 0);
	AUTO_CLOSE int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	cr_expect_geq(file, 0);
	cr_expect_eq(channel_listen(path, 1, &e), -1);
	cr_expect_not_null(strstr(e.msg, "not a socket"), "%s", e.msg);
	cr_expect_eq(access(path, F_OK), 0);
	(void)unlink(path);
	cr_expect_eq(rmdir(dir), 0);
}

/* Whoever owns the folder can put a link there between two calls of the server's. */
Test(channel, only_a_socket_of_ours_gets_another_mode)
{
	char dir[32];
	char path[64];
	char other[64];
	struct err e = {0};
	struct stat st;

	make_folder(dir, path, sizeof(path));
	snprintf(other, sizeof(other), "%s/other", dir);
	AUTO_CLOSE int first = channel_listen(path, 1, &e);
	AUTO_CLOSE int file = channel_file(path, 0600, &e);

	cr_assert_geq(file, 0, "%s", e.msg);
	cr_expect_eq(fstat(file, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0600);
	cr_assert_eq(rename(path, other), 0);
	cr_assert_eq(symlink(other, path), 0);
	cr_expect_eq(channel_file(path, 0666, &e), -1);
	cr_expect_not_null(strstr(e.msg, "not the socket"), "%s", e.msg);
	cr_expect_eq(unlink(path), 0);
	AUTO_CLOSE int plain = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	cr_expect_eq(channel_file(path, 0666, &e), -1);
	cr_expect_eq(fstat(plain, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0600);
	(void)unlink(path);
	if (geteuid() == 0) {
		cr_assert_eq(rename(other, path), 0);
		cr_assert_eq(chown(path, 65534, 65534), 0);
		cr_expect_eq(channel_file(path, 0666, &e), -1, "somebody else's");
		(void)unlink(path);
	}
	(void)unlink(other);
	cr_expect_eq(rmdir(dir), 0);
}

Test(channel, paths_have_limits)
{
	char path[200];
	struct err e = {0};

	memset(path, 'x', sizeof(path));
	path[108] = '\0';
	cr_expect_eq(channel_listen(path, 1, &e), -1);
	cr_expect_not_null(strstr(e.msg, "1 to 107 bytes"), "%s", e.msg);
	cr_expect_eq(channel_connect("", &e), -1);
}
