import std.stdio;

void main()
{
	int n;
	long a, b;

	readf(" %d", &n);
	while (n-- > 0) {
		readf(" %d %d", &a, &b);
		writeln(a - b);
	}
}
