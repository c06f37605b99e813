class Main {
	static function main() {
		throw "nobody catches this";
	}
}
