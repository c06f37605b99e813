# @EXPECTED_SCORE@: 100
n, t = map(int, input().split())
seen = {}
pairs = 0
for number in map(int, input().split()):
    pairs += seen.get(t - number, 0)
    seen[number] = seen.get(number, 0) + 1
print(pairs)
