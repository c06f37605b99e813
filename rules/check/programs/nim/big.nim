import std/sequtils

var all: seq[seq[int]]
while true:
  all.add newSeqWith(100000, 1)
