"""validate INPUT ANSWER FEEDBACK_DIR [score] < OUTPUT

42: a division, 43: none.  With the argument "score" it also says how good the division is.
"""
import sys


def finish(status, why):
    with open(sys.argv[3] + "judgemessage.txt", "w") as f:
        f.write(why + "\n")
    sys.exit(status)


with open(sys.argv[1]) as f:
    weights = list(map(int, f.read().split()))[1:]
words = sys.stdin.buffer.read(1 << 20).decode("ascii", "replace").split()
if len(words) != 1:
    finish(43, f"expected one word, got {len(words)}")
if len(words[0]) != len(weights) or set(words[0]) - {"A", "B"}:
    finish(43, f"expected {len(weights)} letters, each A or B")
total = sum(weights)
difference = abs(total - 2 * sum(w for w, share in zip(weights, words[0]) if share == "A"))
if sys.argv[4:] == ["score"]:
    with open(sys.argv[3] + "score_multiplier.txt", "w") as f:
        f.write(f"{1 - difference / total}\n")
finish(42, f"the shares differ by {difference} of {total}")
