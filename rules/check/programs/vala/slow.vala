int n;

int main() {
	while (true)
		AtomicInt.inc(ref n);
}
