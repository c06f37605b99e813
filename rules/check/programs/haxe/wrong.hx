class Wrong {
	static function main() {
		var input = Sys.stdin();

		for (i in 0...Std.parseInt(input.readLine())) {
			var parts = input.readLine().split(" ");

			Sys.println(Std.parseInt(parts[0]) - Std.parseInt(parts[1]));
		}
	}
}
