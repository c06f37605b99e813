/* The mean of the squares less the square of the mean: all digits cancel far from zero. */
#include <math.h>
#include <stdio.h>

int main(void)
{
	int n;
	double sum = 0, squares = 0;

	if (scanf("%d", &n) != 1)
		return 1;
	for (int i = 0; i < n; i++) {
		double x;

		if (scanf("%lf", &x) != 1)
			return 1;
		sum += x;
		squares += x * x;
	}
	printf("%.9f %.9f\n", sum / n, sqrt(fabs(squares / n - sum / n * (sum / n))));
	return 0;
}
