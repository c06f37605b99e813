/* attack: expect=output_limit output=1M time=5s processes=8 layer=output why=output limit counts stdout and stderr of all processes */
#include "attack.h"

/* Children print, through descriptors opened anew: a limit on a file offset (RLIMIT_FSIZE) never sees it. */
int main(void)
{
	static char block[1 << 12];

	memset(block, 'x', sizeof(block));
	for (int child = 0; child < 4; child++)
		if (fork() == 0) {
			int fd = open(child % 2 ? "/proc/self/fd/1" : "/proc/self/fd/2", O_WRONLY);

			if (fd < 0)
				fd = 1 + child % 2;
			for (int i = 0; i < 1 << 12; i++)
				if (write(fd, block, sizeof(block)) < 0)
					_exit(1);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	escaped("64 MB printed, of 1 MB allowed");
}
