/* attack: expect=memory_limit memory=64M processes=32 layer=memory why=memory limit counts all processes together */
#include "attack.h"

/* Each child stays below the limit, so that a limit on a process (RLIMIT_AS) does not see it. */
int main(void)
{
	int ready[2], born = 0;
	char byte;

	if (pipe(ready) < 0)
		broken("pipe");
	for (; born < 16; born++)
		if (fork() == 0) {
			bounded(15);
			if (write(ready[1], take_memory(32 << 20) ? "y" : "n", 1) != 1)
				_exit(1);
			for (;;)
				pause();
		}
	bounded(15);
	for (; born > 0; born--)
		if (read(ready[0], &byte, 1) != 1 || byte != 'y')
			broken("a child has no memory");
	escaped("16 children with 32 MB each, of 64 MB allowed");
}
