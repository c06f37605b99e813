#lang racket/base
(error "nobody handles this")
