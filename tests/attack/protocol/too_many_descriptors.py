# attack: expect=exited:0 cells=2 layer=frames why=more descriptors than a request can have end the connection, and are closed
from hostile import PROGRAM, Client, escaped, held, must_end, must_refuse, sent_alone, works
from peer import PUT, RUN, encode, memfd
import os

fd = memfd(b"x")
steady = Client(PROGRAM)
for count in (201, 253):
    sent_alone(encode("Request", kind=RUN), f"{count} descriptors", [fd] * count)
sent_alone(b"", "descriptors without a frame", [fd] * 100)
# As many as fit, but none of them asked for.
must_refuse(steady, steady.ask(RUN, [fd] * 200, argv=["/bin/true"], policy="compiler"), "RUN with 200 descriptors")
must_refuse(steady, steady.ask(PUT, [fd] * 200, names=["one"], modes=[0o644]), "PUT of one file and 200 descriptors")
must_refuse(steady, steady.ask(PUT, [fd], names=["a", "b", "c"], modes=[0o644] * 3), "PUT of three files and one descriptor")
must_refuse(steady, steady.ask(RUN, [], argv=["/bin/true"], policy="compiler"), "RUN without descriptors")
held()
