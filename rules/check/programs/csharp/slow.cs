class Slow {
	static volatile int n;

	static void Main() {
		while (true)
			n++;
	}
}
