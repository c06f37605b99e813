/* attack: expect=exited:0 layer=userns+ids+caps+seccomp+landlock+devices+nodev,dev why=a /dev of nine names, nodev mounts, no mknod */
#include "attack.h"
#include <dirent.h>
#include <sys/sysmacros.h>

int main(void)
{
	static const char *const allowed =
		" . .. null zero full random urandom fd stdin stdout stderr shm ";
	static const struct {
		mode_t type;
		unsigned major, minor;
	} nodes[] = {{S_IFCHR, 1, 1}, {S_IFCHR, 1, 3}, {S_IFCHR, 10, 232},
		     {S_IFBLK, 7, 0}, {S_IFBLK, 8, 0}, {S_IFBLK, 254, 0}};
	static const char *const folders[] = {".", "/tmp", "/dev/shm"};
	DIR *dev = opendir("/dev");
	struct dirent *entry;

	if (!dev)
		broken("/dev");
	while ((entry = readdir(dev))) {
		char word[280];

		snprintf(word, sizeof(word), " %s ", entry->d_name);
		if (!strstr(allowed, word))
			escaped("/dev has %s", entry->d_name);
	}
	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		for (size_t f = 0; f < 3; f++) {
			char name[64];

			snprintf(name, sizeof(name), "%s/node%zu", folders[f], i);
			if (mknod(name, nodes[i].type | 0600,
				  makedev(nodes[i].major, nodes[i].minor)) == 0) {
				int fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

				unlink(name);
				if (fd >= 0)
					escaped("made a device in %s and opened it", folders[f]);
			}
		}
	held();
}
