import re
import sys

NUMBER = r"[1-9][0-9]{0,6}"
lines = sys.stdin.read().split("\n")
if len(lines) != 3 or lines[2] != "":
    sys.exit("expected two lines")
if not re.fullmatch(f"{NUMBER} {NUMBER}", lines[0]):
    sys.exit("line 1: expected n and t")
if not re.fullmatch(f"{NUMBER}( {NUMBER})*", lines[1]):
    sys.exit("line 2: expected integers with one space between them")
n, t = map(int, lines[0].split())
numbers = list(map(int, lines[1].split()))
if not (1 <= n <= 100000 and 2 <= t <= 2000000):
    sys.exit("line 1: n must be from 1 to 100000, t from 2 to 2000000")
if len(numbers) != n or max(numbers) > 1000000:
    sys.exit(f"line 2: expected {n} integers from 1 to 1000000")
sys.exit(42)
