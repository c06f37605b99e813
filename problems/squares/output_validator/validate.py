# validate INPUT ANSWER FEEDBACK_DIR < OUTPUT
import re
import sys


def wrong(why):
    with open(f"{sys.argv[3]}judgemessage.txt", "w") as f:
        f.write(why + "\n")
    sys.exit(43)


with open(sys.argv[1]) as f:
    n = int(f.read())
words = sys.stdin.buffer.read(10000).decode(errors="replace").split()
if len(words) != 4:
    wrong(f"{len(words)} words, expected 4")
for word in words:
    if not re.fullmatch("[0-9]{1,7}", word):
        wrong(f"not a number that could be right: {word[:40]!r}")
total = sum(int(word) ** 2 for word in words)
sys.exit(42 if total == n else wrong(f"the sum is {total}, not {n}"))
