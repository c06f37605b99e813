package contest.sums

object Wrong extends App {
  val lines = io.Source.stdin.getLines()
  for (_ <- 1 to lines.next().trim.toInt) {
    val Array(a, b) = lines.next().split(" ").map(_.toLong)
    println(a - b)
  }
}
