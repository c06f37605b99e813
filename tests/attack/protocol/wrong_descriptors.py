# attack: expect=exited:0 layer=frames why=a descriptor is sealed memory or refused, and never read, waited for or kept
import fcntl
import os
import select
import socket

from hostile import PROGRAM, Client, held, must_refuse
from peer import PUT, RUN, SEALS, memfd


def writable():
    fd = os.memfd_create("x", os.MFD_ALLOW_SEALING)
    os.fchmod(fd, 0o666)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, SEALS & ~fcntl.F_SEAL_WRITE)
    return fd


def listener():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.bind("\0gavel-attack-%d" % os.getpid())
    s.listen(1)
    return s.detach()


client, epoll = Client(PROGRAM), select.epoll()
MAKE = {
    "directory": lambda: os.open("/", os.O_RDONLY | os.O_DIRECTORY),
    "file": lambda: os.open(os.environ["CANARY"], os.O_RDWR),
    "path": lambda: os.open("/etc/shadow", os.O_PATH),
    "proc": lambda: os.open("/proc/self/status", os.O_RDONLY),
    "mem": lambda: os.open("/proc/self/mem", os.O_RDWR),
    "device": lambda: os.open("/dev/zero", os.O_RDWR),
    "null": lambda: os.open("/dev/null", os.O_RDWR),
    "event": lambda: os.eventfd(1),
    "epoll": lambda: os.dup(epoll.fileno()),
    "namespace": lambda: os.open("/proc/self/ns/net", os.O_RDONLY),
    "pidfd": lambda: os.pidfd_open(os.getpid()),
    "stream": lambda: socket.socketpair()[0].detach(),
    "own_end": lambda: os.dup(client.socket.fileno()),
    "listener": listener,
    "pipe": lambda: os.pipe()[0],
    "unsealed": lambda: memfd(b"x", 0),
    "half_sealed": lambda: memfd(b"x", fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW),
    "writable": writable,
}

good = memfd(b"good")
run = {"argv": ["/bin/cat", "/proc/self/fd/3"], "policy": "compiler", "wall_time_us": 5000000}
for kind, make in MAKE.items():
    fd = make()
    for pipe in (0, 1):
        if (kind, pipe) != ("pipe", 1):  # that is what stdin_pipe is for
            must_refuse(client, client.ask(RUN, [fd], stdin_pipe=pipe, **run), f"{kind} as input")
    must_refuse(client, client.ask(RUN, [good, fd], **run), f"{kind} as a file of the program")
    must_refuse(client, client.ask(RUN, [good, fd], stdout_pipe=1, **run), f"{kind} as output")
    must_refuse(client, client.ask(PUT, [fd], names=["file"], modes=[0o644]), f"{kind} as a file of the box")
    must_refuse(client, client.ask(PUT, [good, fd], names=["a", "b"], modes=[0o644] * 2), f"{kind} as the second file of the box")
    os.close(fd)
held()
