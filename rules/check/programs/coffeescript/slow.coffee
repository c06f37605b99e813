n = 0
n++ while true
