/* attack: expect=output_limit output=1M time=5s layer=output why=output limit counts stderr */
#include "attack.h"

int main(void)
{
	static char block[1 << 16];

	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 1 << 10; i++)
		if (write(STDERR_FILENO, block, sizeof(block)) < 0)
			broken("write");
	escaped("64 MB printed to stderr, of 1 MB allowed");
}
