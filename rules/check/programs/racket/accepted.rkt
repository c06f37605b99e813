#lang racket
(define n (read))
(for ([_ n])
  (define a (read))
  (define b (read))
  (displayln (+ a b)))
