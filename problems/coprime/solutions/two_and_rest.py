n = int(input())
print(2, n - 2) if n > 4 and n != 6 else print(-1)
