(loop [n 0]
  (recur (bit-and (inc n) 1023)))
