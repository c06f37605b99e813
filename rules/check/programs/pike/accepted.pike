int main()
{
	int n = (int) Stdio.stdin.gets();

	for (int i = 0; i < n; i++) {
		array(int) pair = (array(int)) (Stdio.stdin.gets() / " ");

		write("%d\n", pair[0] + pair[1]);
	}
	return 0;
}
