/* attack: expect=exited:0 each=native,managed,compiler,network policy={} layer=seccomp why=policy: no locks or watches on shared files */
#include "attack.h"
#include <sys/file.h>
#include <sys/inotify.h>

/* The system's files are the same inodes in every cell: one holds a lock, another one asks for it. */
static const char *const shared[] = {"/usr/bin/env", "/usr/lib", "/etc/passwd", "/bin/sh"};

static int open_shared(size_t i)
{
	int fd = open(shared[i], O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		broken(shared[i]);
	return fd;
}

int main(void)
{
	for (size_t i = 0; i < sizeof(shared) / sizeof(*shared); i++) {
		struct flock all = {.l_type = F_WRLCK};
		int fd = open_shared(i);

		if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno == EWOULDBLOCK)
			escaped("locks %s for every cell", shared[i]);
		if (fcntl(fd, F_SETLK, &all) == 0)
			escaped("locks %s though it may only read it", shared[i]);
		if (fcntl(fd, F_GETLK, &all) == 0 || fcntl(fd, F_OFD_GETLK, &all) == 0)
			escaped("is told who locks %s", shared[i]);
		if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0)
			escaped("has a lease of %s", shared[i]);
		if (fcntl(fd, F_NOTIFY, DN_ACCESS | DN_MULTISHOT) == 0)
			escaped("hears who reads in %s", shared[i]);
	}
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (watch >= 0 && inotify_add_watch(watch, "/usr/lib", IN_OPEN | IN_ACCESS) >= 0)
		escaped("sees what others open in /usr/lib");
	held();
}
