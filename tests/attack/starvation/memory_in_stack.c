/* attack: expect=memory_limit|signaled:11 memory=64M layer=memory why=stack limit, memory limit */
#include "attack.h"

static int deeper(int level);

/* Through a pointer, so that the compiler does not see the recursion and warn of it. */
static int (*volatile go)(int) = deeper;

static int deeper(int level)
{
	volatile char frame[4096];

	memset((char *)frame, level, sizeof(frame));
	if (level > 1 << 18)
		escaped("1 GB of stack");
	return go(level + 1) + frame[level % 4096];
}

int main(void)
{
	return deeper(0);
}
