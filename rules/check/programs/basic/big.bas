text$ = "0123456789"
while true
  text$ = text$ + text$
wend
