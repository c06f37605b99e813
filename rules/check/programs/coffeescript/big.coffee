all = []
all.push new Array(100000).fill 1.5 while true
