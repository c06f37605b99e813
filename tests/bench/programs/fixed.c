/* The same work and the same memory every time: sorts and sums numbers in 8 MB. */
#include <stdio.h>
#include <stdlib.h>

#define COUNT 500000

static int ascending(const void *a, const void *b)
{
	long x = *(const long *)a;
	long y = *(const long *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	long *at = malloc(COUNT * sizeof(long));
	unsigned long x = 1;
	long sum = 0;

	if (!at)
		return 1;
	for (size_t i = 0; i < COUNT; i++)
		at[i] = (long)((x = x * 6364136223846793005UL + 1442695040888963407UL) >> 33);
	qsort(at, COUNT, sizeof(long), ascending);
	for (size_t i = 0; i < COUNT; i += 1000)
		sum += at[i];
	printf("%ld\n", sum);
	return 0;
}
