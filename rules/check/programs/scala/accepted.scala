object Sums {
  def main(args: Array[String]): Unit = {
    val lines = io.Source.stdin.getLines()
    val n = lines.next().trim.toInt
    for (_ <- 1 to n) {
      val Array(a, b) = lines.next().split(" ").map(_.toLong)
      println(a + b)
    }
  }
}
