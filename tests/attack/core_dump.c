/* attack: expect=signaled:6 memory=64M layer=hard limit of zero on core files */
#include "attack.h"
#include <sys/prctl.h>
#include <sys/resource.h>

/* A core file, or a core handler of the host that is started for it; run.py looks for either. */
int main(void)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY}, now;

	setrlimit(RLIMIT_CORE, &all);
	prctl(PR_SET_DUMPABLE, 1);
	if (getrlimit(RLIMIT_CORE, &now) < 0 || now.rlim_cur || now.rlim_max)
		escaped("core files of %lu bytes are allowed", (unsigned long)now.rlim_max);
	abort();
}
