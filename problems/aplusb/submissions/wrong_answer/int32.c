/* Right for small numbers only. */
#include <stdio.h>

int main(void)
{
	long long a, b;

	if (scanf("%lld %lld", &a, &b) != 2)
		return 1;
	printf("%d\n", (int)(unsigned)((unsigned long long)a + (unsigned long long)b));
	return 0;
}
