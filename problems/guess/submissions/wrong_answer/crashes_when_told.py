# Nonsense first, and an exception when nobody answers any more: it is the nonsense that counts.
print("forty-two", flush=True)
input()
print(input())
