from math import gcd

n = int(input())
for a in range(2, n - 1):
    if gcd(a, n) == 1:
        print(n - a, a)
        break
else:
    print(-1)
