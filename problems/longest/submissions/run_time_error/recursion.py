# One call for every post: deeper than Python allows.
import sys
from bisect import bisect_left

heights = list(map(int, sys.stdin.read().split()[1:]))


def climb(at, tail):
    if at == len(heights):
        return len(tail)
    place = bisect_left(tail, heights[at])
    return climb(at + 1, tail[:place] + [heights[at]] + tail[place + 1 :])


print(climb(0, []))
