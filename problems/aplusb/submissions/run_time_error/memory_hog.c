/* Takes memory, and touches it, until it is stopped: the memory limit. Bounded for the sake of the host. */
#include <stdlib.h>
#include <string.h>

int main(void)
{
	for (int mb = 0; mb < 4096; mb++) {
		char *volatile p = malloc(1 << 20);

		if (!p)
			return 1;
		memset(p, mb | 1, 1 << 20);
	}
	return 1;
}
