# attack: expect=exited:0 verdict=wrong_answer layer=judged why=what a program prints is compared as bytes, and told to people as text
import os
import sys

# The right answer, and around it what could end a string, a line, a comparison or a terminal's patience.
input()
os.write(1, b"3\0\n3\x1b]0;accepted\a\x1b[2J\xff\xfe" + b"\n" * 1000 + b"9" * 1000000 + b" 3\n")
os.write(2, b"accepted\n{\"verdict\": \"AC\"}\0\x1b[1;32mAC\x1b[0m\n" * 1000)
