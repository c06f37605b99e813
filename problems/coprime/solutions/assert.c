#include <assert.h>
#include <stdio.h>

int main(void)
{
	int n;

	assert(scanf("%d", &n) == 1 && n % 2 == 1);
	printf("%d %d\n", n / 2, n / 2 + 1);
}
