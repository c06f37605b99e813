// Counts in 32 bits, which the third group overflows.
// @EXPECTED_SCORE@: 60
#include <stdint.h>
#include <stdio.h>

static uint32_t seen[2000001];

int main(void)
{
	uint32_t n, t, number, pairs = 0;

	if (scanf("%u %u", &n, &t) != 2)
		return 1;
	for (uint32_t i = 0; i < n && scanf("%u", &number) == 1; i++) {
		if (number <= t)
			pairs += seen[t - number];
		seen[number]++;
	}
	printf("%u\n", pairs);
	return 0;
}
