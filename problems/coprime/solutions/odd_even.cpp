#include <iostream>

int main()
{
	long long n;

	std::cin >> n;
	if (n < 5 || n == 6)
		std::cout << "-1\n";
	else if (n % 2)
		std::cout << n / 2 << ' ' << n / 2 + 1 << '\n';
	else if (n % 4)
		std::cout << n / 2 - 2 << ' ' << n / 2 + 2 << '\n';
	else
		std::cout << n / 2 - 1 << ' ' << n / 2 + 1 << '\n';
}
