/* attack: expect=cpu_time_limit layer=cpu_count why=CPU time of the cgroup, the kernel's for it included */
#include "attack.h"
#include <sys/random.h>

/* The work is done by system calls: user time stays near nothing. */
int main(void)
{
	static char block[1 << 20];

	bounded(30);
	for (;;)
		if (getrandom(block, sizeof(block), 0) < 0)
			broken("getrandom");
}
