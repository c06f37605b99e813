// Words that a careless comparison reads as numbers equal to everything.
#include <cstdio>

int main()
{
	puts("nan nan");
}
