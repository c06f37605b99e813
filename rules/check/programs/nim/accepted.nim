import std/[strutils, sequtils]

let n = stdin.readLine.strip.parseInt
for _ in 1 .. n:
  let pair = stdin.readLine.splitWhitespace.map(parseInt)
  echo pair[0] + pair[1]
