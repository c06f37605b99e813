(define all '())
(let loop ()
  (set! all (cons (make-vector 100000 1.5) all))
  (loop))
