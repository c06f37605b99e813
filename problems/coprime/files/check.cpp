// check INPUT OUTPUT ANSWER
#include <numeric>

#include "reader.h"

static bool has_pair(Reader &r, long long n)
{
	long long a = r.number(-1, n);
	long long b;

	if (a == -1) {
		r.end();
		return false;
	}
	b = r.number(2, n);
	r.end();
	if (a < 2)
		say(WRONG, "%lld is not larger than 1", a);
	if (a + b != n)
		say(WRONG, "%lld and %lld are %lld together, not %lld", a, b, a + b, n);
	if (std::gcd(a, b) != 1)
		say(WRONG, "%lld divides %lld and %lld", std::gcd(a, b), a, b);
	return true;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		say(FAIL, "expected three files, got %d arguments", argc - 1);
	long long n = Reader(argv[1], FAIL).number(2, 1000000000);
	Reader answer(argv[3], FAIL);
	Reader output(argv[2], PRESENTATION);
	bool judge = has_pair(answer, n);
	bool team = has_pair(output, n);

	if (team && !judge)
		say(FAIL, "the team found numbers and the judges did not");
	if (judge && !team)
		say(WRONG, "there are such numbers");
	say(OK, team ? "a pair" : "there is none");
}
