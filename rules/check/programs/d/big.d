void main()
{
	int[][] all;

	for (;;) {
		all ~= new int[1 << 18];
		all[$ - 1][] = 1;
	}
}
