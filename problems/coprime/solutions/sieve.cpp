// Marks all multiples of what divides n.
#include <iostream>
#include <vector>

int main()
{
	int n;

	std::cin >> n;
	std::vector<char> shares(n + 1);
	for (int p = 2; p <= n; p++)
		if (n % p == 0)
			for (int k = p; k <= n; k += p)
				shares[k] = 1;
	for (int a = 2; a < n - 1; a++)
		if (!shares[a]) {
			std::cout << a << ' ' << n - a << '\n';
			return 0;
		}
	std::cout << "-1\n";
}
