#include <bits/stdc++.h>

// C++23: std::expected, if consteval, size_t literals
static std::expected<long long, std::string> add(std::istream &in)
{
	long long a, b;

	if (in >> a >> b)
		return a + b;
	return std::unexpected("no more");
}

int main()
{
	std::size_t n;

	std::cin >> n;
	for (auto i = 0uz; i < n; i++)
		std::cout << add(std::cin).value() << '\n';
}
