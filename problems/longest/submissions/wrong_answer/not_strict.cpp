// Takes an equal height for a higher one.
#include <bits/stdc++.h>

int main()
{
	int n, height;
	std::vector<int> tail;

	std::cin >> n;
	while (std::cin >> height) {
		auto at = std::upper_bound(tail.begin(), tail.end(), height);
		if (at == tail.end())
			tail.push_back(height);
		else
			*at = height;
	}
	std::cout << tail.size() << '\n';
}
