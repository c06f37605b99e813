#include <bits/stdc++.h>

// C++20: concepts, ranges, operator<=>
template <std::integral T> T add(T a, T b)
{
	return a + b;
}

struct pair {
	long long a, b;
	auto operator<=>(const pair &) const = default;
};

int main()
{
	std::size_t n;

	std::cin >> n;
	std::vector<pair> lines(n);
	for (auto &line : lines)
		std::cin >> line.a >> line.b;
	for (long long sum : lines | std::views::transform([](const pair &p) { return add(p.a, p.b); }))
		std::cout << sum << '\n';
}
