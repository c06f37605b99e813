/* attack: expect=memory_limit|exited:0 memory=64M layer=memory why=memory limit counts shared memory */
#include "attack.h"
#include <sys/mman.h>

/* Memory that no process has mapped. */
int main(void)
{
	static char block[1 << 20];
	int fd = memfd_create("hidden", MFD_CLOEXEC);

	if (fd < 0)
		held();
	memset(block, 1, sizeof(block));
	for (int mb = 0; mb < 1024; mb++)
		if (write(fd, block, sizeof(block)) < 0)
			held();
	escaped("1 GB in a memfd, of 64 MB allowed");
}
