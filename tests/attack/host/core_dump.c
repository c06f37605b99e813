/* attack: expect=signaled:6 memory=64M layer=rlimits why=hard limit on core files */
#include "attack.h"
#include <sys/prctl.h>
#include <sys/resource.h>

/* Neither a file, nor a core handler of the host, which the kernel starts as root unless the limit is exactly 1. */
int main(void)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY}, now;

	setrlimit(RLIMIT_CORE, &all);
	prctl(PR_SET_DUMPABLE, 1);
	if (getrlimit(RLIMIT_CORE, &now) < 0 || now.rlim_cur > 1 || now.rlim_max > 1)
		escaped("core files of %lu bytes are allowed", (unsigned long)now.rlim_max);
	abort();
}
