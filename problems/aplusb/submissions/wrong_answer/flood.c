/* Prints without an end: stopped by the output limit, which ICPC rules call a wrong answer. */
#include <stdio.h>

int main(void)
{
	for (;;)
		puts("7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7");
}
