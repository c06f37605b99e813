/* attack: expect=exited:0 mount=secret layer=readonly why=a file that was read does not show it: nothing of a shared file changes, its access time included */
#include "attack.h"

/* The canary was written after it was last read: the first reading since then would be noted, on most file systems. */
int main(void)
{
	struct stat before, after;
	char text[64];
	int fd = open("/data/canary", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &before) < 0)
		broken("/data/canary");
	usleep(20000);
	if (read(fd, text, sizeof(text)) <= 0 || fstat(fd, &after) < 0)
		broken("read");
	if (before.st_atim.tv_sec != after.st_atim.tv_sec ||
	    before.st_atim.tv_nsec != after.st_atim.tv_nsec)
		escaped("whoever comes next sees that it was read");
	held();
}
