# attack: expect=exited:0 layer=frames why=a name leads nowhere but below the box
from hostile import PROGRAM, Client, escaped, held, must_refuse
from peer import FETCH, KEEP, PUT, memfd

BAD = ["/etc/passwd", "../x", "a/../../x", "..", ".", "./a", "a//b", "a/./b", "", "/", "a" * 256, "a/" * 600 + "a", "a/../b",
       "box/..", "a\nb/../../x"]

client, fd = Client(PROGRAM), memfd(b"x")
for name in BAD:
    must_refuse(client, client.ask(PUT, [fd], names=[name], modes=[0o644]), f"PUT of {name[:30]!r}")
    must_refuse(client, client.ask(FETCH, paths=[name], fetch_bytes=1 << 20), f"FETCH of {name[:30]!r}")
    must_refuse(client, client.ask(KEEP, paths=[name]), f"KEEP of {name[:30]!r}")
held()
