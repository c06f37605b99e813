// Room for a thousand readings only: throws beyond them.
#include <array>
#include <cmath>
#include <iostream>

int main()
{
	std::array<double, 1000> x;
	int n;
	double sum = 0, squares = 0;

	std::cin >> n;
	for (int i = 0; i < n; i++) {
		std::cin >> x.at(i);
		sum += x.at(i);
	}
	for (int i = 0; i < n; i++)
		squares += (x.at(i) - sum / n) * (x.at(i) - sum / n);
	std::cout.precision(12);
	std::cout << sum / n << ' ' << std::sqrt(squares / n) << '\n';
}
