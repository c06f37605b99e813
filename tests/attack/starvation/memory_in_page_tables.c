/* attack: expect=memory_limit memory=64M time=3s layer=memory why=memory limit counts page tables */
#include "attack.h"
#include <sys/mman.h>
#include <sys/prctl.h>

/* One page of zeros, read at every second megabyte: not a byte of memory, but a page table of 4 KB for each. */
int main(void)
{
	const long span = 2 << 20, count = 100000;
	volatile char *p = mmap(NULL, (size_t)(span * count), PROT_READ,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		broken("mmap");
	madvise((void *)p, (size_t)(span * count), MADV_NOHUGEPAGE);
	for (long i = 0; i < count; i++)
		(void)p[i * span];
	escaped("400 MB of page tables, of 64 MB allowed");
}
