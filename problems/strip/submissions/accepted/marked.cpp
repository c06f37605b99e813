// The ends differ: R is the front, L the back.
#include <algorithm>
#include <iostream>
#include <string>

int main()
{
	std::string word, strip;
	long long n = 0;

	std::cin >> word;
	if (word == "write") {
		std::cin >> n;
		std::cout << 'R';
		for (int bit = 30; bit >= 0; bit--)
			std::cout << (n >> bit & 1 ? 'R' : 'L');
		std::cout << "L\n";
		return 0;
	}
	std::cin >> strip;
	if (strip[0] == 'L')
		std::reverse(strip.begin(), strip.end());
	for (size_t i = 1; i + 1 < strip.size(); i++)
		n = n * 2 + (strip[i] == 'R');
	std::cout << n << '\n';
	return 0;
}
