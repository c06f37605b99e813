# attack: expect=exited:1 verdict=accepted feedback=1 layer=judged why=what a validator says is cut, and shown as text
import os
import sys

folder = sys.argv[3]
with open(os.path.join(folder, "judgemessage.txt"), "w", encoding="utf-8") as f:
    f.write("looked\x1b]0;owned\a\x1b[2J\x1b[1;32maccepted\x1b[0m\r\u009b2J\u202e\u2028\n" + "A" * 900)
with open(os.path.join(folder, "teammessage.txt"), "wb") as f:
    f.write(b"\0\xff\xfe\xed\xa0\x80" * 100)
os.write(1, b"\x1b[2J" * 1000)
os.write(2, b"\x9b2J\x07" * 1000)
sys.exit(43)
