# Looks at every pair: too slow for the second group.
# @EXPECTED_SCORE@: 20
n, t = map(int, input().split())
numbers = list(map(int, input().split()))
print(sum(numbers[i] + numbers[j] == t for i in range(n) for j in range(i)))
