# Thinks too long about its first guess.
n = int(input())
while True:
    n += 1
