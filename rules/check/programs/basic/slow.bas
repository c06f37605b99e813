while true
  n = n + 1
wend
