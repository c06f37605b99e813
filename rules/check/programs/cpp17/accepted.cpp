#include <bits/stdc++.h>

// C++17: structured bindings, std::optional
static std::optional<std::pair<long long, long long>> next()
{
	long long a, b;

	if (std::cin >> a >> b)
		return std::pair(a, b);
	return std::nullopt;
}

int main()
{
	int n;

	std::cin >> n;
	while (auto line = next()) {
		auto [a, b] = *line;

		std::cout << a + b << '\n';
	}
}
