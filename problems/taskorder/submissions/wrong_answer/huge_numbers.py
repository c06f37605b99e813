# Words that a careless validator would use as an index.
import sys

n = int(sys.stdin.readline().split()[0])
print(*["99999999999999999999"] * n)
