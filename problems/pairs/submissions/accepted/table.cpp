// @EXPECTED_SCORE@: 100
#include <iostream>
#include <vector>

int main()
{
	size_t n, t;
	std::cin >> n >> t;
	std::vector<long long> seen(2000001, 0);
	long long pairs = 0;

	for (size_t i = 0, number; i < n && std::cin >> number; i++) {
		if (number <= t)
			pairs += seen[t - number];
		seen[number]++;
	}
	std::cout << pairs << '\n';
}
