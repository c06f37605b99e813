/* One pass, without the cancellation of the school formula. */
#include <math.h>
#include <stdio.h>

int main(void)
{
	int n;
	double mean = 0, squares = 0;

	if (scanf("%d", &n) != 1)
		return 1;
	for (int i = 1; i <= n; i++) {
		double x, step;

		if (scanf("%lf", &x) != 1)
			return 1;
		step = x - mean;
		mean += step / i;
		squares += step * (x - mean);
	}
	printf("%.10g %.10g\n", mean, sqrt(squares / n));
	return 0;
}
