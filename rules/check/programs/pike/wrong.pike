int main()
{
	Stdio.stdin.gets();
	while (string line = Stdio.stdin.gets()) {
		int a, b;

		sscanf(line, "%d %d", a, b);
		write("%d\n", a - b);
	}
	return 0;
}
