// play INPUT ANSWER FEEDBACK_DIR: standard output goes to the team's program, standard input comes from it.
// 42: the number was found, 43: it was not.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

static const int guesses_max = 30;

static std::string feedback;

[[noreturn]] static void finish(int status, const std::string &why)
{
	std::ofstream(feedback + "judgemessage.txt") << why << '\n';
	std::exit(status);
}

// A guess, or 0 for anything else.
static long long number(const std::string &word)
{
	if (word.empty() || word.size() > 12 || word.find_first_not_of("0123456789") != std::string::npos)
		return 0;
	return std::stoll(word);
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 1;
	feedback = argv[3];

	std::ifstream input(argv[1]);
	long long n, x;
	if (!(input >> n >> x))
		finish(1, "cannot read the input");

	std::cin.tie(nullptr);
	std::cout << n << std::endl;
	for (int i = 1; i <= guesses_max; i++) {
		std::string word;

		// A word that never ends would be read for ever.
		std::cin.width(20);
		if (!(std::cin >> word))
			finish(43, "the team ended after " + std::to_string(i - 1) + " guesses");
		long long guess = number(word);
		if (guess < 1 || guess > n)
			finish(43, "guess " + std::to_string(i) + " is not from 1 to n: " + word);
		if (guess == x) {
			std::cout << "correct" << std::endl;
			finish(42, "found with guess " + std::to_string(i));
		}
		std::cout << (guess < x ? "higher" : "lower") << std::endl;
	}
	std::ofstream(feedback + "teammessage.txt") << "Not found with " << guesses_max << " guesses.\n";
	finish(43, "not found with " + std::to_string(guesses_max) + " guesses");
}
