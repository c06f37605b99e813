import math
import sys

x = [float(word) for word in sys.stdin.read().split()[1:]]
mean = math.fsum(x) / len(x)
print(mean, math.sqrt(math.fsum((v - mean) ** 2 for v in x) / len(x)))
