package contest.sums

fun main(args: Array<String>) {
    repeat(readLine()!!.trim().toInt()) {
        val (a, b) = readLine()!!.split(" ").map { it.toLong() }
        println(a - b)
    }
}
