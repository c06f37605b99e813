/* What a checker of this package reads with.  It says what it found with the exit codes of testlib. */
#ifndef READER_H
#define READER_H

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

enum verdict { OK = 0, WRONG = 1, PRESENTATION = 2, FAIL = 3 };

[[noreturn]] inline void say(verdict v, const char *format, ...)
{
	std::va_list args;

	va_start(args, format);
	std::vfprintf(stderr, format, args);
	va_end(args);
	std::fputc('\n', stderr);
	std::exit(v);
}

/* A file of whole numbers; what it cannot read is the fault of whoever wrote the file. */
class Reader {
public:
	Reader(const char *path, verdict fault) : in(path), fault(fault)
	{
		if (!in)
			say(FAIL, "%s cannot be opened", path);
	}

	long long number(long long least, long long most)
	{
		std::string word;
		char *end;

		if (!(in >> word))
			say(fault, "a number is missing");
		long long n = std::strtoll(word.c_str(), &end, 10);
		if (*end || word.size() > 18)
			say(fault, "'%.20s' is not a number", word.c_str());
		if (n < least || n > most)
			say(fault == PRESENTATION ? WRONG : fault, "%lld is not from %lld to %lld", n, least, most);
		return n;
	}

	void end()
	{
		std::string word;

		if (in >> word)
			say(fault, "'%.20s' is too much", word.c_str());
	}

private:
	std::ifstream in;
	verdict fault;
};

#endif
