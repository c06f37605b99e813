/* attack: expect=exited:0|memory_limit|cpu_time_limit memory=32M processes=16 time=2s layer=memory why=memory limit counts the kernel's own records of a process */
#include "attack.h"
#include <sys/mman.h>

/* 60,000 mappings that cannot be joined, in each of 16 processes: 200 bytes of the kernel's for each. */
int main(void)
{
	int made = 0;

	for (int i = 0; i < 4; i++)
		if (fork() < 0)
			break;
	bounded(10);
	for (; made < 60000; made++)
		if (mmap(NULL, 4096, made & 1 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0) == MAP_FAILED)
			break;
	if (made < 1000)
		broken("mmap");
	while (wait(NULL) > 0)
		;
	held();
}
