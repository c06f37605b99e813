(let loop ((n 0))
  (loop (if (= n 1000) 0 (+ n 1))))
