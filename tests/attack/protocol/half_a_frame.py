# attack: expect=exited:0 cells=2 layer=frames why=a message that ends too early ends the connection, wherever it ends
from hostile import PROGRAM, Client, escaped, held, sent_alone, works
from peer import RUN, encode, memfd

whole = encode("Request", kind=RUN, policy="compiler", argv=["/bin/echo", "x" * 40], env=["A=b"], wall_time_us=9000000)
steady, sent = Client(PROGRAM), 0
for end in range(1, len(whole)):
    part = whole[:end]
    # Cut between two fields it is a message, only a smaller one.
    if any(encode("Request", **fields) == part for fields in (
            {"kind": RUN}, {"kind": RUN, "policy": "compiler"},
            {"kind": RUN, "policy": "compiler", "argv": ["/bin/echo"]},
            {"kind": RUN, "policy": "compiler", "argv": ["/bin/echo", "x" * 40]},
            {"kind": RUN, "policy": "compiler", "argv": ["/bin/echo", "x" * 40], "env": ["A=b"]})):
        continue
    if end % 7 in (1, 2, 4):  # a connection is a whole new cell
        sent_alone(part, f"half a frame of {end} bytes", [memfd()])
        sent += 1
works(steady, "halves of frames")
if sent < 20:
    escaped(f"only {sent} were sent")
held()
