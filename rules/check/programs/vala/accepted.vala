int main() {
	int n = int.parse(stdin.read_line());

	for (int i = 0; i < n; i++) {
		string[] parts = stdin.read_line().split(" ");

		print("%lld\n", int64.parse(parts[0]) + int64.parse(parts[1]));
	}
	return 0;
}
