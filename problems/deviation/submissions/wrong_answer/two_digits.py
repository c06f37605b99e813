# Right, but rounded too far.
import math
import sys

x = [float(word) for word in sys.stdin.read().split()[1:]]
mean = math.fsum(x) / len(x)
print("%.2f %.2f" % (mean, math.sqrt(math.fsum((v - mean) ** 2 for v in x) / len(x))))
