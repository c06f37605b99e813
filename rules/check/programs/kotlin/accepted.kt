fun main() {
    val n = readLine()!!.trim().toInt()
    repeat(n) {
        val (a, b) = readLine()!!.split(" ").map { it.toLong() }
        println(a + b)
    }
}
