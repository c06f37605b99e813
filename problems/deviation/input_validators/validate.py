import re
import sys

lines = sys.stdin.read().split("\n")
if lines.pop() != "":
    sys.exit("the last line is not ended")
if not re.fullmatch(r"[1-9][0-9]{0,4}", lines[0]) or int(lines[0]) > 20000:
    sys.exit("line 1: n must be from 1 to 20000")
if len(lines) != int(lines[0]) + 1:
    sys.exit(f"n is {lines[0]}, but {len(lines) - 1} readings follow")
for number, line in enumerate(lines[1:], 2):
    if not re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]{1,3})?", line) or abs(float(line)) > 1e9:
        sys.exit(f"line {number}: not a reading: {line}")
sys.exit(42)
