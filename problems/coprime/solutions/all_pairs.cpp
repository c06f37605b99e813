// Looks at every pair and keeps the last.
#include <iostream>
#include <numeric>

int main()
{
	long long n, best = -1;

	std::cin >> n;
	for (long long a = 2; a < n - 1; a++)
		if (std::gcd(a, n - a) == 1)
			best = a;
	if (best < 0)
		std::cout << "-1\n";
	else
		std::cout << best << ' ' << n - best << '\n';
}
