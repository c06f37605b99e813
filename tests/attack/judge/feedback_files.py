# attack: expect=exited:0 verdict=accepted feedback=1 layer=judged,copy_out why=feedback is read as files, never through links or pipes, in limits, and shown as text
import os
import sys

# What a validator leaves for the judge to read: a link to a secret, a pipe without an end, a terabyte, and words for a terminal.
folder = sys.argv[3]
os.symlink("@CANARY@", os.path.join(folder, "judgemessage.txt"))
os.mkfifo(os.path.join(folder, "teammessage.txt"))
with open(os.path.join(folder, "judgeimage.png"), "w") as f:
    os.truncate(f.fileno(), 1 << 34)
with open(os.path.join(os.fsencode(folder), b"\xff\x1b[2J\n"), "wb") as f:
    f.write(b"\x1b]0;owned\a")
os.symlink("/etc/shadow", os.path.join(folder, "score.txt"))
os.mkdir(os.path.join(folder, "deep"))
sys.stdin.read()
sys.exit(42)
