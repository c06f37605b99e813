class Wrong : Object {
	public static int main(string[] args) {
		for (int n = int.parse(stdin.read_line()); n > 0; n--) {
			string[] parts = stdin.read_line().split(" ");

			stdout.printf("%lld\n", int64.parse(parts[0]) - int64.parse(parts[1]));
		}
		return 0;
	}
}
