#include <iostream>

int main()
{
	int n;
	long long a, b;

	std::cin >> n;
	while (std::cin >> a >> b)
		std::cout << a - b << '\n';
}
