(loop [all ()]
  (recur (conj all (int-array 262144))))
