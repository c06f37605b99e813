def all = []
while (true) {
    all << new int[1 << 18]
}
