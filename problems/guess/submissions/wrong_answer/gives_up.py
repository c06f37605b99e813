# Ends after one guess, in the middle of the game.
n = int(input())
print(1 if n == 1 else 2, flush=True)
