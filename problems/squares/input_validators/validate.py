import re
import sys

line = sys.stdin.read()
if not re.fullmatch(r"[1-9][0-9]*\n", line) or int(line) > 10**12:
    sys.exit("expected one integer from 1 to 10^12")
sys.exit(42)
