# Takes a number for its own partner.
n, t = map(int, input().split())
numbers = list(map(int, input().split()))
have = {}
for number in numbers:
    have[number] = have.get(number, 0) + 1
print(sum(have.get(t - number, 0) for number in numbers) // 2 + 1)
