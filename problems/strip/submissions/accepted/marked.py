# R in front, L behind, and the number in binary between them.
word, rest = input().split()
if word == "write":
    print("R" + bin(int(rest))[2:].replace("0", "L").replace("1", "R") + "L")
else:
    strip = rest if rest[0] == "R" else rest[::-1]
    print(int(strip[1:-1].replace("L", "0").replace("R", "1"), 2))
