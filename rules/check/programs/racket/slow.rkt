#lang racket/base
(let loop ([n 0])
  (loop (bitwise-and (+ n 1) 1023)))
