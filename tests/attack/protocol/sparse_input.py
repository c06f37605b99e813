# attack: expect=exited:0 cells=2 time=5s layer=box_size why=a file of a terabyte that holds nothing fills no more than the box
import fcntl
import os

from hostile import PROGRAM, Client, broken, held, must_refuse, works
from peer import PUT, SEALS

fd = os.memfd_create("sparse", os.MFD_ALLOW_SEALING)
os.fchmod(fd, 0o444)
os.truncate(fd, 1 << 40)
fcntl.fcntl(fd, fcntl.F_ADD_SEALS, SEALS)
client, steady = Client(PROGRAM), Client(PROGRAM)
must_refuse(client, client.ask(PUT, [fd], names=["sparse"], modes=[0o644], box_bytes=16 << 20), "PUT of a terabyte")
works(steady, "a terabyte of another client")
# As input it is not copied: the program may read of it what it has time for.
reply = client.run(["/usr/bin/head", "-c", "1000000"], fd, output_bytes=2000000)
if reply["error"] or reply["output_bytes"] != 1000000:
    broken(f"{reply['error']} {reply['output_bytes']}")
held()
