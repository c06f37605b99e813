# Takes the task found last first: another order than a queue's.
import sys

words = list(map(int, sys.stdin.read().split()))
n, m = words[0], words[1]
after = [[] for _ in range(n + 1)]
waits = [0] * (n + 1)
for a, b in zip(words[2::2], words[3::2]):
    after[a].append(b)
    waits[b] += 1
ready = [task for task in range(1, n + 1) if not waits[task]]
order = []
while ready:
    task = ready.pop()
    order.append(task)
    for following in after[task]:
        waits[following] -= 1
        if not waits[following]:
            ready.append(following)
print(*order if len(order) == n else ["impossible"])
