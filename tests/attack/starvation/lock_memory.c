/* attack: expect=exited:0 layer=rlimits why=no memory can be locked: the machine could not take it back */
#include "attack.h"
#include <sys/mman.h>

int main(void)
{
	const size_t size = 32 << 20;
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		broken("mmap");
	if (mlock(p, size) == 0 || mlock2(p, size, MLOCK_ONFAULT) == 0)
		escaped("locked %zu bytes", size);
	if (mlockall(MCL_CURRENT | MCL_FUTURE) == 0)
		escaped("locked all its memory");
	if (mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) !=
	    MAP_FAILED)
		escaped("mapped locked memory");
	held();
}
