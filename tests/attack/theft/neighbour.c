/* attack: expect=exited:0 beside=2 policy=network time=5s layer=netns,root,pidns why=nothing is shared by two cells */
#include "attack.h"
#include <dirent.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Two run at the same time; each opens what it can and looks for what the other has. */
int main(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	const char *mine = given("ROUND"), *theirs = strcmp(mine, "1") ? "1" : "2";
	socklen_t size = offsetof(struct sockaddr_un, sun_path) + 15;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), files = 0;
	static const char *const folders[] = {"/tmp",    "/dev/shm", "/box",
					      "/box/..", "/program", "/program/.."};
	char path[300];

	if (fd < 0)
		broken("socket");
	bounded(10);
	snprintf(name.sun_path + 1, 20, "neighbour-%s", mine);
	if (bind(fd, (struct sockaddr *)&name, size) < 0 || listen(fd, 9) < 0)
		broken("bind");
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/neighbour-%s", folders[i], mine);
		if (open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666) >= 0)
			files++;
	}
	if (files != 3)
		broken("files");
	for (int turn = 0; turn < 30; turn++) {
		struct dirent *entry;
		DIR *d;

		snprintf(name.sun_path + 1, 20, "neighbour-%s", theirs);
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fd, (struct sockaddr *)&name, size) == 0)
			escaped("connected to the neighbour");
		close(fd);
		for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
			snprintf(path, sizeof(path), "%s/neighbour-%s", folders[i], theirs);
			if (access(path, F_OK) == 0)
				escaped("sees %s", path);
		}
		d = opendir("/proc");
		while (d && (entry = readdir(d)))
			if (atoi(entry->d_name) > 1 && atoi(entry->d_name) != getpid())
				escaped("sees process %s", entry->d_name);
		if (d)
			closedir(d);
		usleep(50000);
	}
	held();
}
