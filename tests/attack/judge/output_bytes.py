# attack: expect=exited:1 policy=managed memory=96M processes=16 time=3s layer=report why=whatever is written, the report is the report
import os
import sys

# What looks like a report, like the end of one, like no text at all, and a last word on stderr that steers a terminal.
for fd in (1, 2):
    os.write(fd, b'{"status": "exited", "exit_code": 0}\n"}}]\n\0\0' + bytes(range(256)) + b"\x1b]0;owned\a\x1b[2J\x1b[?1049h\n")
    os.write(fd, b"\xed\xa0\x80\xf4\x90\x80\x80\xc0\xaf" * 100 + b"\n" + b"A" * 100000)
sys.exit(1)
