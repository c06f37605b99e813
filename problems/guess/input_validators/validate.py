import re
import sys

line = sys.stdin.read()
if not re.fullmatch(r"[1-9][0-9]* [1-9][0-9]*\n", line):
    sys.exit("expected one line with two positive integers, without leading zeros")
n, x = map(int, line.split())
if not 1 <= x <= n <= 10**9:
    sys.exit("expected 1 <= x <= n <= 10^9")
sys.exit(42)
