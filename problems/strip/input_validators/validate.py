import re
import sys

line = sys.stdin.read()
if not re.fullmatch(r"write (0|[1-9][0-9]*)\n", line):
    sys.exit("expected one line: write, and an integer without leading zeros")
if int(line.split()[1]) > 10**9:
    sys.exit("the number is beyond 10^9")
sys.exit(42)
