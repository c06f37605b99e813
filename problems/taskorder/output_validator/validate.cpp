// validate INPUT ANSWER FEEDBACK_DIR < OUTPUT
// 42: a right order, 43: not one. Anything else is a fault of the problem, never of the team.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

static std::string feedback;

[[noreturn]] static void finish(int status, const std::string &why)
{
	std::ofstream(feedback + "/judgemessage.txt") << why << '\n';
	std::exit(status);
}

[[noreturn]] static void wrong(const std::string &why)
{
	finish(43, why);
}

// A task number from a word of the team's output, or 0 for anything else.
static size_t task(const std::string &word, size_t n)
{
	if (word.empty() || word.size() > 9 || word.find_first_not_of("0123456789") != std::string::npos)
		return 0;
	size_t number = std::stoul(word);
	return number <= n ? number : 0;
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 1;
	feedback = argv[3];

	std::ifstream input(argv[1]), answer(argv[2]);
	size_t n, m;
	std::string word, expected;
	if (!(input >> n >> m) || !(answer >> expected))
		finish(1, "cannot read the input or the answer");

	if (!(std::cin >> word))
		wrong("no output");
	if (word == "impossible") {
		if (std::cin >> word)
			wrong("more output after impossible: " + word.substr(0, 40));
		if (expected == "impossible")
			return 42;
		wrong("there is an order, but impossible was said");
	}

	std::vector<size_t> place(n + 1, 0);
	for (size_t at = 1; at <= n; at++) {
		size_t number = task(word, n);

		if (!number)
			wrong("not a task: " + word.substr(0, 40));
		if (place[number])
			wrong("task " + word + " twice");
		place[number] = at;
		if (at < n && !(std::cin >> word))
			wrong(std::to_string(at) + " of " + std::to_string(n) + " tasks only");
	}
	if (std::cin >> word)
		wrong("more output after the last task: " + word.substr(0, 40));

	for (size_t rule = 1; rule <= m; rule++) {
		size_t a, b;

		if (!(input >> a >> b))
			finish(1, "cannot read rule " + std::to_string(rule));
		if (place[a] > place[b])
			wrong("task " + std::to_string(b) + " before task " + std::to_string(a));
	}
	if (expected == "impossible")
		finish(1, "the team found an order, the answer file says that there is none");
	return 42;
}
