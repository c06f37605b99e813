#include <iostream>
#include <string>

int main()
{
	long long low = 1, high;
	std::string said;

	std::cin >> high;
	while (said != "correct") {
		long long guess = (low + high) / 2;

		std::cout << guess << std::endl;
		std::cin >> said;
		if (said == "higher")
			low = guess + 1;
		else
			high = guess - 1;
	}
	return 0;
}
