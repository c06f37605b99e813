# One letter for each unit: no room for large numbers.
word, rest = input().split()
if word == "write":
    print("L" * (int(rest) % 100 + 1))
else:
    print(len(rest) - 1)
