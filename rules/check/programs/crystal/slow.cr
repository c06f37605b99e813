n = 0
loop { n = (n + 1) & 1023; break if n < 0 }
