class Main {
	static function main() {
		var all = [];

		while (true)
			all.push([for (i in 0...10000) i]);
	}
}
