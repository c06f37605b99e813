/* Leaves behind whatever a program can: files, shared memory, a process, a listening socket, output. */
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void leave_file(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	if (fd >= 0 && write(fd, path, strlen(path)) < 0)
		perror(path);
}

static void leave_socket(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0messy"};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof(sa_family_t) + 6) == 0)
		(void)listen(fd, 1);
}

int main(void)
{
	int shm = shmget(1234, 65536, IPC_CREAT | 0600);
	char *at = shm >= 0 ? shmat(shm, NULL, 0) : NULL;

	if (at && at != (char *)-1)
		memset(at, 1, 65536);
	leave_file("left");
	leave_file("/tmp/left");
	leave_file("/dev/shm/left");
	leave_socket();
	if (fork() == 0)
		for (;;)
			(void)pause();
	puts("left");
	return 0;
}
