def reader = System.in.newReader()
def n = reader.readLine().trim() as int
n.times {
    def (a, b) = reader.readLine().split(' ')*.toLong()
    println a + b
}
