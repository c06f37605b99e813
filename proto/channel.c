#include "proto/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <protobuf-c/protobuf-c.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "proto/wire.h"

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * CHANNEL_FDS_MAX)];
};

static void attach_fds(struct msghdr *m, union control *c, const int *fds, size_t nfds)
{
	struct cmsghdr *h;

	m->msg_control = c->bytes;
	m->msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
	h = CMSG_FIRSTHDR(m);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
	memcpy(CMSG_DATA(h), fds, sizeof(int) * nfds);
}

int channel_send(int sock, const ProtobufCMessage *message, const int *fds, size_t nfds,
		 struct err *e)
{
	uint8_t data[CHANNEL_FRAME_MAX];
	size_t len = protobuf_c_message_get_packed_size(message);
	union control control = {0};
	struct iovec iov = {data, len};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (len == 0 || len > sizeof(data))
		return err_set(e, "frame of %zu bytes, allowed are 1 to %d", len,
			       CHANNEL_FRAME_MAX);
	if (nfds > CHANNEL_FDS_MAX)
		return err_set(e, "%zu descriptors, at most %d fit a frame", nfds, CHANNEL_FDS_MAX);
	protobuf_c_message_pack(message, data);
	if (nfds > 0)
		attach_fds(&m, &control, fds, nfds);
	while (sendmsg(sock, &m, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return err_sys(e, "send");
	return 0;
}

/* Takes every descriptor that came, so that none stays open unseen. */
static void collect_fds(struct msghdr *m, struct channel_frame *f)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		size_t bytes = h->cmsg_len - CMSG_LEN(0);

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		if (bytes > sizeof(f->fds) - f->nfds * sizeof(int))
			bytes = sizeof(f->fds) - f->nfds * sizeof(int);
		memcpy(f->fds + f->nfds, CMSG_DATA(h), bytes);
		f->nfds += bytes / sizeof(int);
	}
}

static int wait_readable(int sock, int timeout_ms, struct err *e)
{
	struct pollfd p = {.fd = sock, .events = POLLIN};
	int n;

	do {
		n = poll(&p, 1, timeout_ms);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "poll");
	if (n == 0) {
		errno = ETIMEDOUT;
		return err_sys(e, "receive");
	}
	return 0;
}

int channel_receive(int sock, int timeout_ms, struct channel_frame *f, struct err *e)
{
	union control control;
	struct iovec iov = {f->data, sizeof(f->data)};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = sizeof(control.bytes)};
	ssize_t n;

	f->len = f->nfds = 0;
	if (timeout_ms >= 0 && wait_readable(sock, timeout_ms, e) < 0)
		return -1;
	do {
		n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "receive");
	collect_fds(&m, f);
	if (n == 0 && f->nfds == 0)
		return 0;
	if (n == 0 || (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		channel_frame_release(f);
		return err_set(
			e, "frame is empty, longer than %d bytes or has more than %d descriptors",
			CHANNEL_FRAME_MAX, CHANNEL_FDS_MAX);
	}
	f->len = (size_t)n;
	return 1;
}

ProtobufCMessage *channel_unpack(const struct channel_frame *f,
				 const ProtobufCMessageDescriptor *type, struct err *e)
{
	ProtobufCMessage *message;

	if (wire_check(type, f->data, f->len, e) < 0)
		return NULL;
	message = protobuf_c_message_unpack(type, NULL, f->len, f->data);
	if (!message)
		err_set(e, "%s: malformed message", type->name);
	return message;
}

void channel_frame_release(struct channel_frame *f)
{
	for (size_t i = 0; i < f->nfds; i++)
		(void)close(f->fds[i]);
	f->nfds = 0;
	f->len = 0;
}

static int fill_address(struct sockaddr_un *a, const char *path, struct err *e)
{
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(a->sun_path))
		return err_set(e, "%s: a socket's path has 1 to %zu bytes", path,
			       sizeof(a->sun_path) - 1);
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	memcpy(a->sun_path, path, len);
	return 0;
}

int channel_connect(const char *path, struct err *e)
{
	return channel_connect_within(path, -1, e);
}

int channel_connect_within(const char *path, int timeout_ms, struct err *e)
{
	struct timeval wait = {timeout_ms / 1000, timeout_ms % 1000 * 1000 + 1};
	struct sockaddr_un a;
	AUTO_CLOSE int sock = -1;

	if (fill_address(&a, path, e) < 0)
		return -1;
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return err_sys(e, "socket");
	if (timeout_ms >= 0 && setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0)
		return err_sys(e, "limit the waiting of a socket");
	if (connect(sock, (struct sockaddr *)&a, sizeof(a)) < 0) {
		/* unix(7): a full backlog that stayed full for SO_SNDTIMEO. */
		if (errno == EAGAIN)
			errno = ETIMEDOUT;
		return err_sys(e, "connect to %s", path);
	}
	return fd_steal(&sock);
}

/* Removes a socket that nobody listens on. */
static int clear_stale(const char *path, struct err *e)
{
	struct err probe = {0};
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "stat %s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, "%s exists and is not a socket", path);
	AUTO_CLOSE int sock = channel_connect(path, &probe);

	if (sock >= 0 || probe.num != ECONNREFUSED)
		return err_set(e, "%s: another server listens there", path);
	if (unlink(path) < 0)
		return err_sys(e, "remove %s", path);
	return 0;
}

int channel_file(const char *path, mode_t mode, struct err *e)
{
	AUTO_CLOSE int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char same[32];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open %s", path);
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
		return err_set(e, "%s is not the socket that was made there", path);
	snprintf(same, sizeof(same), "/proc/self/fd/%d", fd);
	return chmod(same, mode) < 0 ? err_sys(e, "chmod %s", path) : fd_steal(&fd);
}

int channel_listen(const char *path, int backlog, struct err *e)
{
	struct sockaddr_un a;
	AUTO_CLOSE int file = -1;
	AUTO_CLOSE int sock = -1;

	if (fill_address(&a, path, e) < 0 || clear_stale(path, e) < 0)
		return -1;
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return err_sys(e, "socket");
	if (bind(sock, (struct sockaddr *)&a, sizeof(a)) < 0)
		return err_sys(e, "bind %s", path);
	file = channel_file(path, 0666, e);
	if (file < 0)
		return -1;
	if (listen(sock, backlog) < 0)
		return err_sys(e, "listen on %s", path);
	return fd_steal(&sock);
}
