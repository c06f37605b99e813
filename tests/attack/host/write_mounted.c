/* attack: expect=exited:0 mount=secret layer=readonly+landlock why=read-only mounts, and Landlock where that one flag is missing */
#include "attack.h"

/* A file of the host's that everybody may write. */
int main(void)
{
	int fd = open("/data/canary", O_WRONLY | O_APPEND | O_CLOEXEC);

	if (access("/data/canary", R_OK) < 0)
		broken("/data/canary");
	if (fd >= 0 && write(fd, "x", 1) == 1)
		escaped("wrote to a file of the host's");
	held();
}
