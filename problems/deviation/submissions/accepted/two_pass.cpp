#include <bits/stdc++.h>

int main()
{
	int n;
	double sum = 0, squares = 0;

	if (!(std::cin >> n))
		return 1;
	std::vector<double> x(n);
	for (double &v : x) {
		std::cin >> v;
		sum += v;
	}
	double mean = sum / n;
	for (double v : x)
		squares += (v - mean) * (v - mean);
	printf("%.9f %.9f\n", mean, std::sqrt(squares / n));
}
