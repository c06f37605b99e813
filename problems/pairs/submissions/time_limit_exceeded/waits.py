# Is never done with more than 20 000 numbers.
n, t = map(int, input().split())
seen = {}
pairs = 0
while n > 20000:
    pass
for number in map(int, input().split()):
    pairs += seen.get(t - number, 0)
    seen[number] = seen.get(number, 0) + 1
print(pairs)
