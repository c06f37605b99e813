fun loop n = loop ((n + 1) mod 1024)

fun main () = (loop 0; ())
