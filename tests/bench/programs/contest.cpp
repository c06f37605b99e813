// What a contest sees all day: the header with everything in it, containers, sorting, streams.
#include <bits/stdc++.h>
using namespace std;

struct Road {
	int to;
	long long cost;
};

int main()
{
	ios::sync_with_stdio(false);
	cin.tie(nullptr);
	int n, m;
	cin >> n >> m;
	vector<vector<Road>> roads(n);
	map<string, int> names;
	auto town = [&](const string &name) { return names.try_emplace(name, (int)names.size()).first->second; };
	for (int i = 0; i < m; i++) {
		string a, b;
		long long cost;
		cin >> a >> b >> cost;
		int x = town(a), y = town(b);
		roads[x].push_back({y, cost});
		roads[y].push_back({x, cost});
	}
	vector<long long> best(n, LLONG_MAX);
	priority_queue<pair<long long, int>, vector<pair<long long, int>>, greater<>> open;
	best[0] = 0;
	open.push({0, 0});
	while (!open.empty()) {
		auto [cost, at] = open.top();
		open.pop();
		if (cost > best[at])
			continue;
		for (const Road &r : roads[at])
			if (cost + r.cost < best[r.to]) {
				best[r.to] = cost + r.cost;
				open.push({best[r.to], r.to});
			}
	}
	sort(best.begin(), best.end());
	for (int i = 0; i < n; i++)
		cout << best[i] << "\n "[i + 1 < n];
}
