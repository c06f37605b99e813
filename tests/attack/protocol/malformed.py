# attack: expect=exited:0 cells=2 layer=frames why=bytes that are no message
import random

from hostile import PROGRAM, Client, held, sent_alone, works
from peer import FRAME_MAX, RUN, encode, memfd, varint

KIND = encode("Request", kind=RUN)
WHOLE = encode("Request", kind=RUN, policy="compiler", argv=["/bin/true"])  # would be done, but for what is added
FRAMES = {
    "empty": [b""],
    "large": [bytes(FRAME_MAX + 1), KIND + b"\x62" * FRAME_MAX],
    "group": [b"\x0b\x0c", b"\x0b" * 5000, KIND + b"\x63\x64"],
    "field0": [b"\x00\x01", b"\x02\x01a"],
    "wide": [b"\x08" + b"\xff" * 10, b"\x08" + b"\xff" * 9 + b"\x7f", b"\x78" + b"\x80" * 12],
    "wrongtype": [b"\x0a\x02hi", b"\x60\x01", b"\x0d\x02\0\0\0", b"\x09" + bytes(8)],
    "nul": [KIND + b"\x62\x03s\0h", WHOLE + b"\x62\x03s\0h", WHOLE + b"\x52\x05def\0t"],
    "utf8": [WHOLE + b"\x62" + varint(len(text)) + text for text in (b"\xc3\x28", b"=\xed\xa0", b"\xf5\x80\x80\x80")],
    "lengths": [KIND + b"\x62\x7f", KIND + b"\x62" + varint(1 << 31) + b"x", KIND + b"\x62" + varint((1 << 64) - 1)],
    "text": [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"],
    "noise": [bytes(random.Random(seed).randrange(1, 256) for _ in range(300)) for seed in range(8)],
    "varints": [b"\x1a\x03\x80\x80\x80", b"\x1a" + varint(60000) + b"\x01" * 60000, b"\x12\x00" * 30000],
}

steady = Client(PROGRAM)
for kind, frames in FRAMES.items():
    for frame in frames:
        sent_alone(frame, f"{kind} {frame[:20]!r}", [memfd()])
    works(steady, f"{kind} of other clients")
held()
