fun grow all = grow (Array.array (100000, 1.5) :: all)

fun main () = (grow []; ())
