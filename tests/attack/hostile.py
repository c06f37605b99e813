"""What the attacks on the socket share, beside peer.py: they run outside of any cell, as a judged that was taken over."""

import os
import sys

from peer import Client, Ended

PROGRAM = os.path.join(os.environ["SOCKETS"], "program.sock")
JURY = os.path.join(os.environ["SOCKETS"], "jury.sock")


def held():
    print("held")
    sys.exit(0)


def escaped(what):
    print("ESCAPED:", what)
    sys.exit(66)


def broken(what):
    print("BROKEN:", what)
    sys.exit(67)


def works(client, why):
    """The cell must still do what is asked, and hold nothing."""
    reply = client.run(["/bin/sh", "-c", "cat; ls -A /box"], b"fine\n")
    if reply["error"] or reply["stdout"] != "fine\n":
        escaped(f"after {why} the cell says {reply['error']}{reply.get('stdout')!r}")


def must_end(client, why):
    """A frame that is no request ends the connection; one that is, if only by chance, is refused."""
    try:
        if not client.receive()["error"]:
            escaped(f"{why} was done")
    except Ended as e:
        if "closed" not in str(e) and "Reset" not in str(e):
            escaped(f"{why} is waited for: {e}")
    client.close()


def sent_alone(data, why, fds=()):
    """On a connection of its own, which must end."""
    client = Client(PROGRAM)
    try:
        client.send(data, fds)
    except OSError:  # too much for the kernel already
        client.close()
        return
    must_end(client, why)


def must_refuse(client, reply, why):
    for fd in reply["fds"]:
        os.close(fd)
    if not reply["error"]:
        escaped(f"{why} was done")
    if len(reply["error"]) > 300:
        escaped(f"{why}: an error of {len(reply['error'])} bytes")
    works(client, why)
