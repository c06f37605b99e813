// A division, but not a good one.
#include <iostream>

int main()
{
	size_t n;
	std::cin >> n;
	for (size_t i = 0; i < n; i++)
		std::cout << "AB"[i % 2];
	std::cout << '\n';
}
