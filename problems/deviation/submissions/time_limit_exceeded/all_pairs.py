# The variance from all pairs of readings.
import math
import sys

x = [float(word) for word in sys.stdin.read().split()[1:]]
n = len(x)
squares = 0.0
for a in x:
    for b in x:
        squares += (a - b) * (a - b)
print(sum(x) / n, math.sqrt(squares / (2 * n * n)))
