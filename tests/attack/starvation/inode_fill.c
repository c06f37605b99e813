/* attack: expect=exited:0|memory_limit time=10s memory=512M layer=box_inodes why=inode limit of box, /tmp and /dev/shm */
#include "attack.h"

int main(void)
{
	static const char *const folders[] = {".", "/tmp", "/dev/shm"};

	for (int i = 0; i < 3; i++) {
		int files = 0;

		for (; files < 20000; files++) {
			char name[64];
			int fd;

			snprintf(name, sizeof(name), "%s/fill%d", folders[i], files);
			fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
			if (fd < 0)
				break;
			close(fd);
		}
		for (int n = 0; n < files; n++) {
			char name[64];

			snprintf(name, sizeof(name), "%s/fill%d", folders[i], n);
			unlink(name);
		}
		if (files >= 20000)
			escaped("20000 files in %s", folders[i]);
	}
	held();
}
