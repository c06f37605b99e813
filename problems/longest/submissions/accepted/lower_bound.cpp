#include <bits/stdc++.h>

int main()
{
	std::ios::sync_with_stdio(false);
	int n, height;
	std::vector<int> tail;

	std::cin >> n;
	while (std::cin >> height) {
		auto at = std::ranges::lower_bound(tail, height);
		if (at == tail.end())
			tail.push_back(height);
		else
			*at = height;
	}
	std::cout << tail.size() << '\n';
}
