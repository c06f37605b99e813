// For every post a look at all posts before it: n^2 / 2 steps.
#include <bits/stdc++.h>

int main()
{
	int n, longest = 0;

	std::cin >> n;
	std::vector<int> height(n), best(n, 1);
	for (int i = 0; i < n; i++) {
		std::cin >> height[i];
		for (int j = 0; j < i; j++)
			if (height[j] < height[i] && best[j] >= best[i])
				best[i] = best[j] + 1;
		longest = std::max(longest, best[i]);
	}
	std::cout << longest << '\n';
}
