// A list cannot be sorted by std::sort: a page of errors.
#include <bits/stdc++.h>

int main()
{
	std::list<int> heights{3, 1, 4};

	std::sort(heights.begin(), heights.end());
}
