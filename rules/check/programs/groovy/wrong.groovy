class Wrong {
    static void main(String[] args) {
        def reader = System.in.newReader()
        (reader.readLine() as int).times {
            def (a, b) = reader.readLine().split(' ')*.toLong()
            println a - b
        }
    }
}
