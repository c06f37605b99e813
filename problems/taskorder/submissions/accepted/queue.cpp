#include <bits/stdc++.h>

int main()
{
	int n, m;

	if (scanf("%d %d", &n, &m) != 2)
		return 1;
	std::vector<std::vector<int>> after(n + 1);
	std::vector<int> waits(n + 1), order;
	for (int a, b; m-- && scanf("%d %d", &a, &b) == 2; waits[b]++)
		after[a].push_back(b);
	for (int task = 1; task <= n; task++)
		if (!waits[task])
			order.push_back(task);
	for (size_t at = 0; at < order.size(); at++)
		for (int next : after[order[at]])
			if (!--waits[next])
				order.push_back(next);
	if ((int)order.size() < n)
		return puts("impossible"), 0;
	for (int task : order)
		printf("%d ", task);
	puts("");
}
