line input text$
n = val(text$)
for i = 1 to n
  line input text$
  print 7
next i
