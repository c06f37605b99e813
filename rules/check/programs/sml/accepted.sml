fun int () = valOf (TextIO.scanStream (Int.scan StringCvt.DEC) TextIO.stdIn)

fun show n = (if n < 0 then "-" else "") ^ Int.toString (abs n) ^ "\n"

fun loop 0 = ()
  | loop n =
      let
        val a = int ()
        val b = int ()
      in
        print (show (a + b));
        loop (n - 1)
      end

fun main () = loop (int ())
