# Sorts the tasks by how many rules they wait for.
import sys

words = list(map(int, sys.stdin.read().split()))
waits = [0] * (words[0] + 1)
for task in words[3::2]:
    waits[task] += 1
print(*sorted(range(1, words[0] + 1), key=lambda task: waits[task]))
