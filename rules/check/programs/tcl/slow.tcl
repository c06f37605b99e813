while 1 {incr n}
