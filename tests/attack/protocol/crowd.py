# attack: expect=exited:0 cells=2 layer=peer why=those who wait for a cell cost nobody who has one
import errno
import socket

from hostile import PROGRAM, Client, held, works

# More connections than there are cells, or than the backlog holds; none of them ever speaks.
steady, waiting = Client(PROGRAM), []
taken = Client(PROGRAM)
for _ in range(2000):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.setblocking(False)
    try:
        s.connect(PROGRAM)
    except OSError as e:
        if e.errno == errno.EMFILE:
            break
        s.close()
        break
    waiting.append(s)
works(steady, f"{len(waiting)} who wait")
for s in waiting:
    s.close()
taken.close()
works(steady, "they have gone")
held()
