/* Writes in no time, and reads by trying all numbers, slowly. */
#include <stdio.h>
#include <string.h>

static void strip_of(long n, char *out)
{
	*out++ = 'R';
	for (int bit = 30; bit >= 0; bit--)
		*out++ = n >> bit & 1 ? 'R' : 'L';
	*out++ = 'L';
	*out = '\0';
}

int main(void)
{
	char word[8], rest[64], strip[64];
	long n;

	if (scanf("%7s", word) != 1)
		return 1;
	if (strcmp(word, "write") == 0) {
		if (scanf("%ld", &n) != 1)
			return 1;
		strip_of(n, strip);
		puts(strip);
		return 0;
	}
	if (scanf("%63s", rest) != 1)
		return 1;
	for (n = 0;; n++) {
		strip_of(n, strip);
		if (strcmp(strip, rest) == 0)
			break;
	}
	printf("%ld\n", n);
	return 0;
}
