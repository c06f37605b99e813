# Every post is either a stop or not: 2^n ways.
import sys

sys.setrecursionlimit(10**6)
heights = list(map(int, sys.stdin.read().split()[1:]))


def climb(at, last):
    if at == len(heights):
        return 0
    best = climb(at + 1, last)
    if heights[at] > last:
        best = max(best, 1 + climb(at + 1, heights[at]))
    return best


print(climb(0, 0))
