/* Talks without listening, and without an end. */
#include <stdio.h>

int main(void)
{
	for (;;)
		puts("is it this one?");
}
