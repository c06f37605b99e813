# Stops at every post that is higher than the last stop.
import sys

best = last = 0
sys.stdin.readline()
for height in map(int, sys.stdin.readline().split()):
    if height > last:
        last = height
        best += 1
print(best)
