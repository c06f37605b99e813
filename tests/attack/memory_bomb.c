/* attack: expect=memory_limit memory=64M layer=memory limit of the cgroup, no swap */
#include "attack.h"

int main(void)
{
	for (int mb = 0; mb < 1024; mb++) {
		char *volatile p = malloc(1 << 20);

		if (!p)
			broken("malloc");
		memset(p, mb | 1, 1 << 20);
	}
	escaped("1 GB of 64 MB allowed");
}
