# Prints weights instead of letters, already in the sample.
input()
print(input())
