// The right sum, and then one word too many.
#include <iostream>

int main()
{
	long long a, b;

	std::cin >> a >> b;
	std::cout << a + b << " done\n";
}
