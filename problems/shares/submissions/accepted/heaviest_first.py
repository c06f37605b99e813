# The heaviest weight that is left goes to the lighter share.
n = int(input())
weights = list(map(int, input().split()))
share = ["A"] * n
balance = 0
for i in sorted(range(n), key=lambda i: -weights[i]):
    if balance > 0:
        share[i] = "B"
        balance -= weights[i]
    else:
        balance += weights[i]
print("".join(share))
