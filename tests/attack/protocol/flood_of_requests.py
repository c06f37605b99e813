# attack: expect=exited:0 cells=2 layer=peer why=a client that asks and never listens keeps one keeper waiting
import socket

from hostile import PROGRAM, Client, broken, held, works
from peer import FETCH, encode

# Replies pile up until the keeper cannot send; requests until the client cannot.
deaf, steady = Client(PROGRAM), Client(PROGRAM)
deaf.socket.settimeout(1)
sent = 0
try:
    while sent < 100000:
        deaf.send(encode("Request", kind=FETCH, paths=["nothing" * 10]))
        sent += 1
except (socket.timeout, BlockingIOError):
    pass
if sent == 0:
    broken("nothing could be asked")
works(steady, f"{sent} requests of another client")
held()
