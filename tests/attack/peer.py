"""sandboxd as its clients see it: frames of proto/sandbox.proto, with descriptors, on SOCK_SEQPACKET sockets.

Sandboxd starts one with a few cells of its own; Client is one connection, as honest as it is asked to be.  What goes wrong
between the two is Ended.
"""

import fcntl
import os
import re
import signal
import socket
import struct
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
FRAME_MAX = 65536
SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
PUT, RUN, FETCH, KEEP, PARK = 1, 2, 3, 4, 5
ENV = ["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"]


class Ended(Exception):
    """The connection is over."""


def schema():
    """{message: {field: (number, type, repeated)}} and the names of Status, from the file itself."""
    with open(os.path.join(TOP, "proto/sandbox.proto")) as f:
        text = f.read()
    messages = {}
    for name, body in re.findall(r"^message (\w+) \{(.*?)^\}", text, re.M | re.S):
        fields = re.findall(r"^  (repeated )?(\w+) (\w+) = (\d+);", body, re.M)
        messages[name] = {field: (int(number), kind, bool(many)) for many, kind, field, number in fields}
    statuses = re.search(r"^enum Status \{(.*?)^\}", text, re.M | re.S)[1]
    return messages, {int(n): name.lower() for name, n in re.findall(r"(\w+) = (\d+);", statuses)}


MESSAGES, STATUSES = schema()


def varint(n):
    out = bytearray()
    n &= (1 << 64) - 1
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))


def encode(message, **fields):
    out = b""
    for name, value in fields.items():
        number, kind, many = MESSAGES[message][name]
        if kind == "string":
            for text in value if many else [value]:
                raw = text if isinstance(text, bytes) else text.encode()
                out += varint(number << 3 | 2) + varint(len(raw)) + raw
        elif many:
            packed = b"".join(map(varint, value))
            out += varint(number << 3 | 2) + varint(len(packed)) + packed
        else:
            out += varint(number << 3) + varint(int(value))
    return out


def decode(message, data):
    """A dict of what is there, with the defaults of proto3 for what is not; lists of numbers are left out."""
    names = {number: (name, kind, many) for name, (number, kind, many) in MESSAGES[message].items()}
    got = {name: [] if many else "" if kind == "string" else 0 for name, kind, many in names.values()}
    at = 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = number()
        name, kind, many = names[key >> 3]
        if key & 7 == 0:
            value = number()
        else:
            size = number()
            value = data[at:at + size]
            at += size
        if many and kind == "string":
            got[name].append(value.decode())
        elif not many:
            got[name] = value.decode() if kind == "string" else value
    return got


def memfd(data=b"", seals=SEALS):
    fd = os.memfd_create("attack", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.fchmod(fd, 0o444)
    os.write(fd, data)
    if seals:
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


class Client:
    def __init__(self, path, patience_s=60):
        """Connects, and waits for a cell."""
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(patience_s)
        until = time.monotonic() + patience_s
        while True:
            try:
                self.socket.connect(path)
                break
            # The server may be starting, or have a queue that is full of those who have gone.
            except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):
                if time.monotonic() > until:
                    raise Ended(f"nobody listens at {path}") from None
                time.sleep(0.01)
        self.welcome = self.receive("Welcome")

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data, fds=()):
        """One packet, whatever it is."""
        control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack(f"{len(fds)}i", *fds))] if fds else []
        self.socket.sendmsg([data], control)

    def receive(self, message="Reply"):
        try:
            data, control, _, _ = self.socket.recvmsg(FRAME_MAX, socket.CMSG_SPACE(253 * 4))
        except (ConnectionResetError, socket.timeout) as e:
            raise Ended(repr(e)) from None
        if not data:
            raise Ended("closed")
        got = decode(message, data)
        got["fds"] = [fd for _, _, raw in control for fd in struct.unpack(f"{len(raw) // 4}i", raw)]
        return got

    def ask(self, kind, fds=(), **fields):
        """A Request and its Reply."""
        self.send(encode("Request", kind=kind, **fields), fds)
        return self.receive()

    def put(self, files, **fields):
        """Writes files into the box: {name: bytes}."""
        fds = [memfd(data) for data in files.values()]
        reply = self.ask(PUT, fds, names=list(files), modes=[0o555] * len(files), **fields)
        for fd in fds:
            os.close(fd)
        return reply

    def run(self, argv, stdin=b"", **fields):
        """RUN, with what was collected as text in `stdout` and `stderr`."""
        fd = stdin if isinstance(stdin, int) else memfd(stdin)
        try:
            reply = self.ask(RUN, [fd], **({"policy": "compiler", "env": ENV, "wall_time_us": 60000000, "argv": argv} | fields))
        finally:
            if not isinstance(stdin, int):
                os.close(fd)
        reply["status"] = STATUSES[reply["status"]]
        for name, out in zip(("stdout", "stderr"), reply["fds"]):
            reply[name] = os.pread(out, 1 << 20, 0).decode(errors="replace")
            os.close(out)
        return reply


def still_honest(path):
    """What is wrong with the next cell that a client gets, or None: it runs programs, and nothing is in it."""
    try:
        with Client(path) as client:
            reply = client.run(["/bin/sh", "-c", "ls -A /box /tmp /dev/shm /program | grep -v :; set /proc/[0-9]*; echo $#; echo $$"])
            again = client.run(["/bin/sh", "-c", "echo $$"])
    except Ended as e:
        return f"the next client is not served: {e}"
    if reply["error"] or again["error"]:
        return f"the next client is refused: {reply['error']}{again['error']}"
    # Four empty folders, an empty line between each two; no process but the shell; the first number after init's.
    if reply["stdout"] != "\n\n\n1\n2\n" or again["stdout"] != "2\n":
        return f"the next client finds {reply['stdout']!r} {again['stdout']!r} {reply['stderr']!r}"
    return None


class Sandboxd:
    def __init__(self, program, folder, cells=1, rules=os.path.join(TOP, "rules")):
        self.folder, self.cells = folder, cells
        self.program, self.jury = os.path.join(folder, "program.sock"), os.path.join(folder, "jury.sock")
        with open(folder + ".log", "w") as log:
            self.process = subprocess.Popen(
                [program, "--socket", folder, "--rules", rules, "--cells", str(cells), "--jury-cells", "1", "--log-level", "error"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            Client(self.program).close()
            Client(self.jury).close()
        except Ended:
            self.process.kill()
            self.process.wait()
            with open(folder + ".log") as log:
                raise Ended("sandboxd does not start: " + log.read()[-300:]) from None

    def tasks(self):
        """(descriptors of the master, number of keepers); a keeper that is just being replaced is neither."""
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            keepers = len(f.read().split())
        return sorted(os.readlink(f"/proc/{pid}/fd/{fd}").split(":")[0] for fd in os.listdir(f"/proc/{pid}/fd")), keepers

    def close(self):
        """Ends it as an administrator would; what is wrong with that, or None."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "sandboxd does not end"
        if status != 0 or os.path.exists(self.folder):
            return f"sandboxd ended with {status} and left {os.path.exists(self.folder) and os.listdir(self.folder)}"
        return None
