// Keeps the whole list of tails after every post, as if the climb itself were asked for: the memory limit.
#include <bits/stdc++.h>

int main()
{
	std::ios::sync_with_stdio(false);
	int n, height;
	std::vector<int> tail;
	std::vector<std::vector<int>> history;

	std::cin >> n;
	while (std::cin >> height) {
		auto at = std::lower_bound(tail.begin(), tail.end(), height);
		if (at == tail.end())
			tail.push_back(height);
		else
			*at = height;
		history.push_back(tail);
	}
	std::cout << history.back().size() << '\n';
}
