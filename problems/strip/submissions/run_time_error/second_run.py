# Knows only how to write.
word, n = input().split()
assert word == "write"
print("R" + bin(int(n))[2:].replace("0", "L").replace("1", "R") + "L")
