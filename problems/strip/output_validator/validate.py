# validate INPUT ANSWER FEEDBACK_DIR < OUTPUT
# First the strip is looked at and sent on, then the number that was read from it.  What is between the two is kept in the feedback
# folder; the answer file says which way round the strip arrives, which the program must not know.
import os
import re
import sys

STRIP_MAX = 40


def finish(status, why):
    with open(f"{sys.argv[3]}judgemessage.txt", "a") as f:
        f.write(why + "\n")
    sys.exit(status)


def look_at_strip(strip, reverse):
    if not re.fullmatch("[LR]{1,%d}" % STRIP_MAX, strip):
        finish(43, f"not a strip of 1 to {STRIP_MAX} letters L and R: {strip[:60]!r}")
    arrives = strip[::-1] if reverse else strip
    with open(f"{sys.argv[3]}nextpass.in", "w") as f:
        f.write(f"read {arrives}\n")
    with open(f"{sys.argv[3]}sent", "w") as f:
        f.write(strip)
    finish(42, f"strip {strip}, arrives {'reversed' if reverse else 'as it was'}")


def main():
    with open(sys.argv[1]) as f:
        number = f.read().split()[1]
    with open(sys.argv[2]) as f:
        reverse = f.read().strip() == "reversed"
    words = sys.stdin.buffer.read(10000).decode(errors="replace").split()
    if len(words) != 1:
        finish(43, f"{len(words)} words, expected one")
    if not os.path.exists(f"{sys.argv[3]}sent"):
        look_at_strip(words[0], reverse)
    finish(42 if words[0] == number else 43, f"read {words[0][:60]!r}, it was {number}")


main()
