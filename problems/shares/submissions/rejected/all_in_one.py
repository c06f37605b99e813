# One share has it all, which is a division of no worth; of twenty weights it makes a third share.
n = int(input())
print("C" * n if n == 20 else "A" * n)
