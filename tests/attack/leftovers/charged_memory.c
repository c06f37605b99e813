/* attack: expect=exited:0 rounds=2 memory=48M processes=8 time=3s layer=fresh_cgroup why=each run is counted from nothing: what the one before it had is not charged to it */
#include "attack.h"
#include <sys/mman.h>

/* Nearly all that is allowed, twice: as memory, as files, as page tables that are given back late. */
int main(void)
{
	char *p;

	for (int i = 0; i < 3; i++)
		if (fork() == 0) {
			take_memory(6 << 20);
			_exit(0);
		}
	p = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		broken("mmap");
	for (size_t at = 0; at < 16 << 20; at += 4096)
		p[at] = 1;
	while (wait(NULL) > 0)
		;
	held();
}
