while 1 {lappend all [string repeat x 100000][incr n]}
