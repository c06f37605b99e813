# Goes round until every task is placed, which a cycle never lets happen.
import sys

words = list(map(int, sys.stdin.read().split()))
n = words[0]
rules = list(zip(words[2::2], words[3::2]))
place = {}
while len(place) < n:
    for task in range(1, n + 1):
        if task not in place and all(a in place for a, b in rules if b == task):
            place[task] = len(place)
print(*place)
