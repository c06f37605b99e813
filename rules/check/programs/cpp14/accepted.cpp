#include <bits/stdc++.h>

// C++14: generic lambdas, std::make_unique
int main()
{
	auto add = [](auto a, auto b) { return a + b; };
	auto n = std::make_unique<int>();

	std::cin >> *n;
	for (int i = 0; i < *n; i++) {
		long long a, b;

		std::cin >> a >> b;
		std::cout << add(a, b) << '\n';
	}
}
