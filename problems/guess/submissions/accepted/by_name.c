/* Opens its standard streams by name. */
#include <stdio.h>
#include <string.h>

int main(void)
{
	FILE *in = fopen("/dev/stdin", "r");
	FILE *out = fopen("/dev/stdout", "w");
	long low = 1, high;
	char said[16] = "";

	if (!in || !out || fscanf(in, "%ld", &high) != 1)
		return 1;
	while (strcmp(said, "correct") != 0) {
		long guess = (low + high) / 2;

		fprintf(out, "%ld\n", guess);
		fflush(out);
		if (fscanf(in, "%15s", said) != 1)
			return 1;
		if (strcmp(said, "higher") == 0)
			low = guess + 1;
		else
			high = guess - 1;
	}
	return 0;
}
