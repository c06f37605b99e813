/* Thanks the jury, which has gone by then: what is said after the end is nobody's business. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
	long low = 1, high;
	char said[16] = "";

	if (scanf("%ld", &high) != 1)
		return 1;
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
	usleep(200000);
	printf("thank you\n");
	return 0;
}
