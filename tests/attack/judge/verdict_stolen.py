# attack: expect=exited:0 verdict=wrong_answer layer=judged,root why=the answer is in no cell of a contestant's, neither as a file nor as a descriptor
import glob
import os

# Looks for the answer, which is the smallest file there is that holds "3"; prints what it finds, which must be wrong.
found = "0"
input()
paths = [path for top in ("box", "program", "tmp", "dev", "data", "var", "home") for path in glob.glob(f"/{top}/**", recursive=True)]
for path in paths + [f"/proc/self/fd/{n}" for n in range(3, 64)]:
    try:
        with open(path, opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as f:
            text = f.read(100) if os.path.isfile(path) else ""
    except (OSError, UnicodeDecodeError):
        continue
    if text.split()[:1] == ["3"] or path.endswith(".ans"):
        found = text
try:
    os.lseek(0, 0, os.SEEK_SET)
    if b"3" in os.read(0, 1000):
        found = "3"
except OSError:
    pass
print(found)
