/* attack: expect=exited:0|memory_limit|cpu_time_limit memory=32M time=3s layer=memory why=memory limit counts names that the kernel remembers not to exist */
#include "attack.h"

/* The kernel remembers each name that it has looked for in vain: 192 bytes and more, for half a million. */
int main(void)
{
	char name[128];
	long asked = 0;

	for (; asked < 500000; asked++) {
		snprintf(name, sizeof(name), "/tmp/%080ld", asked);
		if (access(name, F_OK) == 0)
			broken("access");
	}
	held();
}
