input n
for i = 1 to n
  line input text$
  dim part$(1)
  k = instr(text$, " ")
  print str$(val(left$(text$, k - 1)) + val(mid$(text$, k + 1)), "%.0f")
next i
