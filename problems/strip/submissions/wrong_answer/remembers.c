/* Leaves the number in a file for the second run, which will not find it. */
#include <stdio.h>
#include <string.h>

int main(void)
{
	char word[8], rest[64];
	long n = -1;
	FILE *f;

	if (scanf("%7s %63s", word, rest) != 2)
		return 1;
	if (strcmp(word, "write") == 0) {
		f = fopen("/tmp/number", "w");
		if (f) {
			fprintf(f, "%s", rest);
			fclose(f);
		}
		puts("L");
		return 0;
	}
	f = fopen("/tmp/number", "r");
	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	printf("%ld\n", n);
	return 0;
}
