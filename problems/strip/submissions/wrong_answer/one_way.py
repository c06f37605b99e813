# Takes the strip for as it was sent.
word, rest = input().split()
if word == "write":
    print(bin(int(rest))[2:].replace("0", "L").replace("1", "R"))
else:
    print(int(rest.replace("L", "0").replace("R", "1"), 2))
