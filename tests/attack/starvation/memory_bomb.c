/* attack: expect=memory_limit memory=64M layer=memory why=memory limit of the cgroup, no swap */
#include "attack.h"

int main(void)
{
	for (int mb = 0; mb < 256; mb++)
		if (!take_memory(1 << 20))
			broken("malloc");
	escaped("256 MB of 64 MB allowed");
}
