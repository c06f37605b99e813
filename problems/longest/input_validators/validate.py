import re
import sys

lines = sys.stdin.read().split("\n")
if len(lines) != 3 or lines[2] != "":
    sys.exit("expected two lines")
if not re.fullmatch(r"[1-9][0-9]{0,5}", lines[0]) or int(lines[0]) > 300000:
    sys.exit("line 1: n must be from 1 to 300000")
heights = lines[1].split(" ")
if len(heights) != int(lines[0]):
    sys.exit(f"line 2: n is {lines[0]}, but there are {len(heights)} heights")
for height in heights:
    if not re.fullmatch(r"[1-9][0-9]{0,9}", height) or int(height) > 10**9:
        sys.exit(f"line 2: not a height: {height}")
sys.exit(42)
