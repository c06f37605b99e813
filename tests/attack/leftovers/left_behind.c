/* attack: expect=exited:0 rounds=2 processes=8 policy=network layer=fresh_files,fresh_net why=everything that can be written is new for each run */
#include "attack.h"
#include <stddef.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { MARK = 0x67617665 };

static const char *const places[] = {
	"/tmp/mark", "/dev/shm/mark", "/box/mark",    "/program/mark",
	"/mark",     "/dev/mark",     "/tmp/../mark", "/proc/self/cwd/mark"};

/* A listening socket with an abstract name, kept alive by its own descriptor in flight. */
static int abstract_socket(int leave)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0gavel-attack-mark"};
	socklen_t size = offsetof(struct sockaddr_un, sun_path) + 18;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), pair[2];
	char control[CMSG_SPACE(2 * sizeof(int))] = {0}, byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	if (!leave)
		return connect(fd, (struct sockaddr *)&name, size);
	if (bind(fd, (struct sockaddr *)&name, size) < 0 || listen(fd, 1) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return -1;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(c), (int[]){fd, pair[1]}, 2 * sizeof(int));
	return sendmsg(pair[0], &msg, 0) < 0 ? -1 : 0;
}

/* The first round leaves marks wherever it can, the second looks for them. */
int main(void)
{
	int second = atoi(given("ROUND")) == 2;
	static const char *const folders[] = {"/tmp", "/dev/shm", "/box"};
	static const struct timespec epoch[2];
	struct stat st;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (second && access(places[i], F_OK) == 0)
			escaped("%s is still there", places[i]);
		if (!second && open(places[i], O_WRONLY | O_CREAT, 0666) < 0 && i < 3)
			broken(places[i]);
	}
	for (size_t i = 0; second && i < sizeof(folders) / sizeof(*folders); i++)
		if (stat(folders[i], &st) < 0 || (st.st_mode & 0700) != 0700 || st.st_mtime == 0)
			escaped("%s is as the first round left it", folders[i]);
	if (second) {
		if (abstract_socket(0) == 0)
			escaped("the abstract socket is still there");
		if (shmget(MARK, 0, 0) >= 0)
			escaped("the shared memory is still there");
		held();
	}
	if (abstract_socket(1) < 0)
		broken("abstract socket");
	shmget(MARK, 4096, IPC_CREAT | 0666);
	/* Three empty folders that the next run could not use, nor a hasty look find changed. */
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (chmod(folders[i], 0) < 0 || utimensat(AT_FDCWD, folders[i], epoch, 0) < 0)
			broken(folders[i]);
	if (fork() == 0) {
		setsid();
		bounded(30);
		for (;;)
			pause();
	}
	held();
}
