class Sums {
	static function main() {
		var input = Sys.stdin();
		var n = Std.parseInt(input.readLine());

		for (i in 0...n) {
			var parts = input.readLine().split(" ");

			Sys.println(Std.parseInt(parts[0]) + Std.parseInt(parts[1]));
		}
	}
}
