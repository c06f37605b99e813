object Main {
  def main(args: Array[String]): Unit = {
    val all = collection.mutable.ArrayBuffer[Array[Int]]()
    while (true)
      all += new Array[Int](1 << 18)
  }
}
