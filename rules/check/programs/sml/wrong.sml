fun int () = valOf (TextIO.scanStream (Int.scan StringCvt.DEC) TextIO.stdIn)

fun main () =
  let
    val n = int ()
    fun loop i = if i = n then () else (print (Int.toString (int () * int ()) ^ "\n"); loop (i + 1))
  in
    loop 0
  end
