// Runs out of guesses where n is large.
#include <iostream>
#include <string>

int main()
{
	long long n;
	std::string said;

	std::cin >> n;
	for (long long guess = 1; said != "correct" && guess <= n; guess++) {
		std::cout << guess << std::endl;
		if (!(std::cin >> said))
			return 0;
	}
	return 0;
}
