import re
import sys

line = sys.stdin.read()
if not re.fullmatch(r"(0|-?[1-9][0-9]*) (0|-?[1-9][0-9]*)\n", line):
    sys.exit("expected one line with two integers, without leading zeros")
if any(abs(int(word)) > 10**18 for word in line.split()):
    sys.exit("an integer is beyond 10^18")
sys.exit(42)
