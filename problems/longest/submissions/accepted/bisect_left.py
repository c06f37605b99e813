import sys
from bisect import bisect_left

tail = []
sys.stdin.readline()
for height in map(int, sys.stdin.readline().split()):
    at = bisect_left(tail, height)
    if at == len(tail):
        tail.append(height)
    else:
        tail[at] = height
print(len(tail))
