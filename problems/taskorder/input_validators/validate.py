import re
import sys

NUMBER = r"(0|[1-9][0-9]{0,5})"
lines = sys.stdin.read().split("\n")
if lines.pop() != "":
    sys.exit("the last line is not ended")
for at, line in enumerate(lines, 1):
    if not re.fullmatch(NUMBER + " " + NUMBER, line):
        sys.exit(f"line {at}: expected two numbers, got: {line}")
n, m = map(int, lines[0].split())
if not (1 <= n <= 20000 and m <= 50000):
    sys.exit("line 1: n must be from 1 to 20000, m from 0 to 50000")
if len(lines) != m + 1:
    sys.exit(f"m is {m}, but {len(lines) - 1} rules follow")
for at, line in enumerate(lines[1:], 2):
    a, b = map(int, line.split())
    if a == b or not (1 <= a <= n and 1 <= b <= n):
        sys.exit(f"line {at}: expected two different tasks from 1 to {n}")
sys.exit(42)
