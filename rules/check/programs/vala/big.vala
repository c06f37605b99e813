int main() {
	var all = new GenericArray<string>();

	while (true)
		all.add(string.nfill(1000000, 'x'));
}
