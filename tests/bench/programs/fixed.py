"""The same work and the same memory every time."""
x, numbers = 1, []
for _ in range(100000):
    x = (x * 6364136223846793005 + 1442695040888963407) % 2**64
    numbers.append(x >> 33)
numbers.sort()
print(sum(numbers[::1000]))
