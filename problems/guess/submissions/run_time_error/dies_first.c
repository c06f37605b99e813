/* Before a word is said. */
#include <stdlib.h>

int main(void)
{
	abort();
}
