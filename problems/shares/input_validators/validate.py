import re
import sys

NUMBER = r"[1-9][0-9]{0,6}"
lines = sys.stdin.read().split("\n")
if len(lines) != 3 or lines[2] != "":
    sys.exit("expected two lines")
if not re.fullmatch(NUMBER, lines[0]) or not re.fullmatch(f"{NUMBER}( {NUMBER})*", lines[1]):
    sys.exit("expected n, then integers with one space between them")
weights = list(map(int, lines[1].split()))
if len(weights) != int(lines[0]) or len(weights) > 2000 or max(weights) > 1000000:
    sys.exit("expected n, at most 2000, integers from 1 to 1000000")
sys.exit(42)
