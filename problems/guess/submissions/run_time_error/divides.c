/* Divides by zero where n is one. */
#include <stdio.h>
#include <string.h>

int main(void)
{
	long low = 1, high;
	char said[16] = "";

	if (scanf("%ld", &high) != 1)
		return 1;
	volatile long share = 1000 / (high - 1);

	(void)share;
	while (strcmp(said, "correct") != 0) {
		long guess = (low + high) / 2;

		printf("%ld\n", guess);
		fflush(stdout);
		if (scanf("%15s", said) != 1)
			return 1;
		if (strcmp(said, "higher") == 0)
			low = guess + 1;
		else
			high = guess - 1;
	}
	return 0;
}
