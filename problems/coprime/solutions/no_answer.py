n = int(input())
if n % 2:
    print(n // 2, n // 2 + 1)
