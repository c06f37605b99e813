#!/usr/bin/python3
"""Private networks with real sockets: who reaches whom, what the host gives away, forged frames, and nothing left behind.

All of it happens in network namespaces that the test makes: the "host" is one of them, and so is the "world".
"""
import array
import contextlib
import ctypes
import fcntl
import importlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import test_sandbox_run as base

RULES = os.path.join(base.TOP, "rules")
SANDBOXD = os.path.join(os.path.dirname(base.SANDBOX), "sandboxd")
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)

NETWORK = """name: {name}
subnet: 10.213.{third}.0/28
groups: true
"""

# Waits for one connection after the other and tells each where it comes from.
SERVER = """
import socket
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.connect(("10.213.{third}.1", 9))
own = udp.getsockname()[0]
s = socket.create_server((own, 7000))
print(own, flush=True)
while True:
    c, peer = s.accept()
    c.sendall(peer[0].encode())
    c.close()
"""

CLIENT = """
import socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), 1.5) as s:
        print("reached", s.recv(100).decode())
except OSError as error:
    print("refused", error)
"""


def ip(*words, ns=None):
    subprocess.run(["ip", *(["-n", ns] if ns else []), *words], check=True)


def until(what, look, patience_s=30):
    ends = time.monotonic() + patience_s
    while not look():
        if time.monotonic() > ends:
            raise AssertionError(f"waited {patience_s} s for {what}")
        time.sleep(0.02)


PROBE = """set -e
ip link add name probe0 type bridge
ip link add name probe1 type veth peer name probe2
nft 'add table bridge probe; add chain bridge probe c { type filter hook prerouting priority 0; }'
nft 'add rule bridge probe c limit rate over 1 mbytes/second drop'
nft 'add table ip probe; add chain ip probe c { type nat hook postrouting priority 100; }'
nft 'add rule ip probe c ct state new masquerade'
nft 'add set ip probe s { type ipv4_addr; flags dynamic; }; add rule ip probe c add @s { ip saddr ct count over 1 } accept'
"""


def missing():
    """What this kernel or machine lacks for a private network, found without Gavel; empty if it has all."""
    if os.geteuid() != 0:
        return "cells need root"
    p = subprocess.run(["sh", "-c", PROBE], capture_output=True, text=True, preexec_fn=own_network)
    return p.stderr.strip() or "no private networks here" if p.returncode else ""


def own_network():
    if LIBC.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


REASON = missing()


@unittest.skipIf(REASON, REASON)
class Case(base.Case):
    """A "host" in a namespace of its own, which this process is in."""
    third = 10
    more = ""  # of the rule

    def setUp(self):
        super().setUp()
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        own_network()
        self.addCleanup(self.go_home)
        ip("link", "set", "lo", "up")
        self.name = f"test-{os.getpid()}"
        os.mkdir(self.path("rules"))
        for folder in "roots", "seccomp":
            os.symlink(os.path.join(RULES, folder), self.path("rules", folder))
        self.write("rules/networks/x", "")
        self.rule(self.more)
        self.write("client.py", CLIENT)
        self.write("server.py", SERVER.format(third=self.third))
        self.running = []

    def tearDown(self):
        for p in list(self.running):
            self.end(p)
        self.assertEqual(self.registered(), [], "files of networks left behind")
        until("the network to leave the host", lambda: not self.host_state())
        super().tearDown()

    def go_home(self):
        LIBC.setns(self.home, CLONE_NEWNET)
        os.close(self.home)

    def end(self, p, sig=signal.SIGTERM):
        if p.poll() is None:
            p.send_signal(sig)
        p.communicate(timeout=30)
        if p in self.running:
            self.running.remove(p)

    def rule(self, more):
        self.write(f"rules/networks/{self.name}.yaml", NETWORK.format(name=self.name, third=self.third) + more)

    def registered(self):
        try:
            return [name for name in os.listdir("/run/gavel-networks") if name.startswith(self.name)]
        except FileNotFoundError:
            return []

    @staticmethod
    def host_state():
        """Interfaces and tables that are Gavel's in the host's namespace."""
        links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
        tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout
        return "".join(line for line in (links + tables).splitlines(True) if "gavel" in line)

    def options(self, group):
        return ["--rules", "rules", "--net", f"bridge:{self.name}", *(["--net-group", group] if group else [])]

    def server(self, group, program="server.py", wall="60s"):
        """Starts a cell that listens; (process, its address)."""
        p = self.start(*self.options(group), "--wall", wall, "--copy-in", program, "--", "python3", program)
        self.running.append(p)
        address = p.stdout.readline().strip()
        if not address:
            self.fail(p.stderr.read())
        return p, address

    def connect(self, group, address, port):
        return self.output(*self.options(group), "--copy-in", "client.py", "--", "python3", "client.py", address,
                           str(port))

    def assertReached(self, text):
        self.assertRegex(text, "^reached")

    def assertRefused(self, text):
        self.assertRegex(text, "^refused")

    def child_of(self, pid):
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return [int(word) for word in f.read().split()]

    def cell_ns(self, p):
        """The network namespace of the cell that this `sandbox run` has, to act in it as nobody inside can."""
        host = os.readlink("/proc/self/ns/net")
        for child in self.child_of(p.pid):
            if os.readlink(f"/proc/{child}/ns/net") != host:
                return f"/proc/{child}/ns/net"
        self.fail("there is no cell")

    @staticmethod
    def networks(pid):
        """Paths of the network namespaces that a process has open; while it makes one, others come and go."""
        found = []
        with contextlib.suppress(FileNotFoundError):
            for path in (f"/proc/{pid}/fd/{fd}" for fd in os.listdir(f"/proc/{pid}/fd")):
                with contextlib.suppress(FileNotFoundError):
                    if os.readlink(path).startswith("net:"):
                        found.append(path)
        return found

    def private_ns(self, pid):
        found = self.networks(pid)
        self.assertTrue(found, "there is no private network")
        return found[0]

    def inside(self, ns, *argv):
        return subprocess.run(["nsenter", f"--net={ns}", "--", *argv], capture_output=True, text=True, timeout=60)


class Groups(Case):
    def test_one_group_reaches_itself_and_nobody_else(self):
        _p, a = self.server("red")
        _q, b = self.server("blue")
        _r, c = self.server(None)
        self.assertEqual(len({a, b, c}), 3)
        self.assertReached(self.connect("red", a, 7000))
        self.assertReached(self.connect("blue", b, 7000))
        for group, address in ("red", b), ("blue", a), ("red", c), (None, a), (None, b), (None, c):
            self.assertRefused(self.connect(group, address, 7000))

    def test_datagrams_and_addresses(self):
        self.write("echo.py", """
import socket
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.connect(("10.213.10.1", 9))
own = u.getsockname()[0]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 7000))
print(own, flush=True)
while True:
    data, peer = s.recvfrom(100)
    s.sendto(data + b" from " + peer[0].encode(), peer)
""")
        ask = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1.5)
s.sendto(b"hello", (sys.argv[1], 7000))
try:
    print(s.recv(100).decode(), len(socket.if_nameindex()))
except OSError as error:
    print(error)
"""
        _p, address = self.server("red", "echo.py")
        self.assertRegex(self.output(*self.options("red"), "--", "python3", "-c", ask, address),
                         r"^hello from 10\.213\.10\.\d+ 2$")
        self.assertEqual(self.output(*self.options("blue"), "--", "python3", "-c", ask, address), "timed out\n")

    def test_no_groups_no_neighbours(self):
        path = f"rules/networks/{self.name}.yaml"
        self.write(path, self.read(path).replace("groups: true", "groups: false"))
        _p, a = self.server("red")
        self.assertRefused(self.connect("red", a, 7000))

    def test_no_ipv6(self):
        out = self.output(*self.options("red"), "--", "python3", "-c", """
import socket
for address in "::1", "ff02::1%eth0", "fe80::1%eth0":
    try:
        s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        s.connect(socket.getaddrinfo(address, 9, type=socket.SOCK_DGRAM)[0][4])
        print("reached", address)
    except OSError as error:
        pass
""")
        self.assertEqual(out, "")

    def test_addresses_run_out_with_a_reason(self):
        path = f"rules/networks/{self.name}.yaml"
        self.write(path, self.read(path).replace("0/28", "0/29"))
        for _ in range(5):
            self.server("red")
        status, _out, err = self.run_(*self.options("red"), "--", "true")
        self.assertEqual(status, 125)
        self.assertIn("all 5 addresses of the subnet are taken", err)
        self.end(self.running[0])
        self.output(*self.options("red"), "--", "true")

    def test_policy_without_sockets_has_none(self):
        status, _out, err = self.run_(*self.options("red"), "--policy", "native", "--", "python3", "-c",
                                      "import socket; socket.socket()")
        self.assertNotEqual(status, 0)
        self.assertIn("Address family not supported", err)

    def test_rate(self):
        """The bucket has 256 KiB, then 64 KiB a second come through: far less than the sender has to say."""
        self.rule("rate: 64K\n")
        self.write("sink.py", """
import socket, time
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.connect(("10.213.10.1", 9))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
s.bind(("0.0.0.0", 7000))
print(u.getsockname()[0], flush=True)
got, first = 0, 0
while True:
    data = s.recv(2000)
    if data == b"end":
        break
    first = first or time.monotonic()
    got += len(data)
print(got, time.monotonic() - first, flush=True)
""")
        p, address = self.server("red", "sink.py")
        self.output(*self.options("red"), "--", "python3", "-c", """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ends = time.monotonic() + 2
while time.monotonic() < ends:
    for _ in range(20):
        s.sendto(bytes(1400), (sys.argv[1], 7000))
    time.sleep(0.005)
for _ in range(200):
    time.sleep(0.02)
    try:
        s.sendto(b"end", (sys.argv[1], 7000))
    except OSError:  # the other one has seen it and gone
        break
""", address)
        out, _err = p.communicate(timeout=30)
        self.running.remove(p)
        got, took = map(float, out.split())
        self.assertGreater(got, 100000)
        self.assertLess(got, 262144 + 65536 * took * 1.3 + 65536)


class Gateway(Case):
    third = 11
    more = """connections: 8
services:
  - { name: clock, address: 10.213.11.1, port: 8001 }
"""

    def listen(self, ns, *ports):
        """A listener in the private namespace, or here if that is None."""
        argv = ["nsenter", f"--net={ns}", "--"] if ns else []
        p = subprocess.Popen([*argv, sys.executable, "-c", """
import selectors, socket, sys
s = selectors.DefaultSelector()
for port in sys.argv[1:]:
    s.register(socket.create_server(("0.0.0.0", int(port))), selectors.EVENT_READ)
print("ready", flush=True)
open_ones = []
while True:
    for key, _ in s.select():
        c, peer = key.fileobj.accept()
        c.sendall(peer[0].encode())
        open_ones.append(c)
""", *map(str, ports)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.running.append(p)
        self.assertEqual(p.stdout.readline(), "ready\n")
        return p

    def test_the_named_service_alone(self):
        p, _a = self.server("red")
        self.listen(self.private_ns(p.pid), 8001, 8002)
        self.assertReached(self.connect("red", "10.213.11.1", 8001))
        self.assertReached(self.connect(None, "10.213.11.1", 8001))
        self.assertRefused(self.connect("red", "10.213.11.1", 8002))

    def test_connections_are_counted(self):
        p, _a = self.server("red")
        self.listen(self.private_ns(p.pid), 8001)
        out = self.output(*self.options("blue"), "--", "python3", "-c", """
import socket
held = []
try:
    for _ in range(20):
        held.append(socket.create_connection(("10.213.11.1", 8001), 1.5))
except OSError:
    pass
print(len(held))
""")
        self.assertEqual(out, "8\n")

    def test_host_is_out_of_reach(self):
        ip("link", "add", "name", "side0", "type", "bridge")
        ip("addr", "add", "192.0.2.1/24", "dev", "side0")
        ip("link", "set", "side0", "up")
        self.listen(None, 8001, 9000)
        with socket.create_connection(("192.0.2.1", 9000), 5) as s:
            self.assertEqual(s.recv(100), b"192.0.2.1")
        for address in "192.0.2.1", "127.0.0.1", "10.213.11.1":
            for port in 8001, 9000:
                self.assertRefused(self.connect("red", address, port))
        ip("link", "del", "side0")


class Forged(Case):
    """As if the cell's own init had been taken over: the test acts as root inside of a cell's namespace."""

    def reach(self, ns, address):
        return self.inside(ns, sys.executable, self.path("client.py"), address, "7000").stdout

    def setUp(self):
        super().setUp()
        _p, self.target = self.server("red")
        q, self.own = self.server("red")
        self.ns = self.cell_ns(q)
        self.assertReached(self.reach(self.ns, self.target))

    def test_address(self):
        self.inside(self.ns, "ip", "addr", "flush", "dev", "eth0")
        self.inside(self.ns, "ip", "addr", "add", "10.213.10.14/28", "dev", "eth0")
        self.assertRefused(self.reach(self.ns, self.target))
        self.inside(self.ns, "ip", "addr", "flush", "dev", "eth0")
        self.inside(self.ns, "ip", "addr", "add", f"{self.own}/28", "dev", "eth0")
        self.assertReached(self.reach(self.ns, self.target))

    def test_hardware_address(self):
        self.assertEqual(self.inside(self.ns, "ip", "link", "set", "eth0", "address", "02:67:0a:d5:0a:0e").returncode, 0)
        self.assertRefused(self.reach(self.ns, self.target))

    def test_neighbour_is_not_believed(self):
        """An ARP answer that gives the gateway's address to this cell does not leave its port."""
        other = self.cell_ns(self.running[0])
        gateway = "10.213.10.1"
        forged = """
import socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0x0806))
mac = s.getsockname()[4]
for sender, claimed in ((mac, sys.argv[1]), (mac, sys.argv[2])):
    s.send(b"\\xff" * 6 + mac + b"\\x08\\x06" + struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2) + sender +
           socket.inet_aton(claimed) + b"\\xff" * 6 + socket.inet_aton(sys.argv[3]))
print("sent")
"""
        sniffer = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
s.settimeout(3)
print("ready", flush=True)
seen = set()
try:
    while True:
        frame, where = s.recvfrom(100)
        if where[2] != 4:  # not our own
            seen.add(socket.inet_ntoa(frame[28:32]))
except OSError:
    print(*sorted(seen), flush=True)
"""
        p = subprocess.Popen(["nsenter", f"--net={other}", "--", sys.executable, "-c", sniffer], stdout=subprocess.PIPE,
                             text=True)
        self.assertEqual(p.stdout.readline(), "ready\n")
        sent = self.inside(self.ns, sys.executable, "-c", forged, gateway, self.own, self.target)
        self.assertEqual(sent.stdout, "sent\n", sent.stderr)
        seen = p.communicate(timeout=30)[0].split()
        self.assertIn(self.own, seen)  # the honest one got through
        self.assertNotIn(gateway, seen)

    def test_other_frames(self):
        """IPv6 and frames with a VLAN tag do not cross."""
        other = self.cell_ns(self.running[0])
        p = subprocess.Popen(["nsenter", f"--net={other}", "--", sys.executable, "-c", """
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.settimeout(3)
print("ready", flush=True)
kinds = set()
try:
    while True:
        frame, where = s.recvfrom(200)
        if where[2] != 4 and where[0] == "eth0":
            kinds.add(frame[12:14].hex())
except OSError:
    print(*sorted(kinds), flush=True)
"""], stdout=subprocess.PIPE, text=True)
        self.assertEqual(p.stdout.readline(), "ready\n")
        sent = self.inside(self.ns, sys.executable, "-c", """
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
mac = s.getsockname()[4]
for kind in b"\\x86\\xdd", b"\\x81\\x00", b"\\x88\\xa8", b"\\x88\\xcc", b"\\x12\\x34":
    for _ in range(3):
        s.send(b"\\xff" * 6 + mac + kind + bytes(60))
print("sent")
""")
        self.assertEqual(sent.stdout, "sent\n", sent.stderr)
        kinds = p.communicate(timeout=30)[0].split()
        self.assertFalse(set(kinds) & {"86dd", "8100", "88a8", "88cc", "1234"}, kinds)

    def test_through_the_gateway(self):
        """Cells of two groups cannot meet by way of the router either."""
        _r, blue = self.server("blue")
        self.inside(self.ns, "ip", "route", "add", f"{blue}/32", "via", "10.213.10.1")
        self.assertRefused(self.reach(self.ns, blue))


class WithWorld(Case):
    """host0 (203.0.113.1) on this side, a "world" with a server at 203.0.113.10 and at 10.99.0.5 behind it."""
    third = 12
    more = """world: true
services:
  - { name: database, address: 10.99.0.5, port: 5432 }
"""

    def setUp(self):
        super().setUp()
        self.world = subprocess.Popen(["unshare", "-n", sys.executable, "-c", """
import socket, selectors, sys
print("there", flush=True)
sys.stdin.readline()
s = selectors.DefaultSelector()
for port in 80, 5432, 5433:
    s.register(socket.create_server(("0.0.0.0", port)), selectors.EVENT_READ)
print("ready", flush=True)
while True:
    for key, _ in s.select():
        c, peer = key.fileobj.accept()
        c.sendall(peer[0].encode())
        c.close()
"""], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.running.append(self.world)
        self.world.stdout.readline()
        ip("link", "add", "name", "host0", "type", "veth", "peer", "name", "far0", "netns", str(self.world.pid))
        ip("addr", "add", "203.0.113.1/24", "dev", "host0")
        ip("link", "set", "host0", "up")
        ip("route", "add", "default", "via", "203.0.113.10")
        there = f"/proc/{self.world.pid}/ns/net"
        for words in ("link set lo up", "addr add 203.0.113.10/24 dev far0", "addr add 10.99.0.5/32 dev lo",
                      "addr add 169.254.169.254/32 dev lo", "addr add 198.51.100.7/32 dev lo", "link set far0 up"):
            self.assertEqual(self.inside(there, "ip", *words.split()).returncode, 0, words)
        self.world.stdin.write("\n")
        self.world.stdin.flush()
        self.assertEqual(self.world.stdout.readline(), "ready\n")
        self.forward(1)

    def forward(self, value):
        with open("/proc/sys/net/ipv4/ip_forward", "w") as f:
            f.write(str(value))

    def remove_cgroups(self):
        def gone():
            for where, folders, _files in os.walk(self.cgroup, topdown=False):
                for name in folders:
                    if name.startswith("gavel-") or "gavel-" in where[len(self.cgroup):]:
                        try:
                            os.rmdir(os.path.join(where, name))
                        except OSError:
                            pass
            return not self.folders()
        until("the cgroups of a killed process to be empty", gone)

class World(WithWorld):
    def test_world_and_services_but_not_the_host(self):
        with socket.create_server(("0.0.0.0", 80)):
            self.assertEqual(self.connect("red", "203.0.113.10", 80), "reached 203.0.113.1\n")
            self.assertReached(self.connect(None, "198.51.100.7", 80))
            self.assertReached(self.connect("red", "10.99.0.5", 5432))
            self.assertRefused(self.connect("red", "10.99.0.5", 5433))  # private, and not named
            self.assertRefused(self.connect("red", "169.254.169.254", 80))
            for host in "203.0.113.1", "100.127.0.1", "10.213.12.1", "127.0.0.1":
                self.assertRefused(self.connect("red", host, 80))

    def test_second_line(self):
        """The private side drops the addresses that the host had when the network was made."""
        p, _a = self.server("red")
        chain = self.inside(self.private_ns(p.pid), "nft", "list", "chain", "ip", "gavel", "through_gateway").stdout
        self.assertIn("ip daddr 203.0.113.1 drop", chain)
        self.assertLess(chain.index("203.0.113.1"), chain.index("accept"))

    def test_nobody_comes_in(self):
        """The far side cannot open a connection to a cell, even if it knows the way."""
        _p, address = self.server("red")
        there = f"/proc/{self.world.pid}/ns/net"
        self.inside(there, "ip", "route", "add", "10.213.12.0/28", "via", "203.0.113.1")
        self.inside(there, "ip", "route", "add", "100.127.0.0/16", "via", "203.0.113.1")
        for target in address, "100.127.0.2":
            out = self.inside(there, sys.executable, self.path("client.py"), target, "7000").stdout
            self.assertRefused(out)

    def test_host_that_does_not_forward(self):
        self.forward(0)
        status, _out, err = self.run_(*self.options("red"), "--", "true")
        self.assertEqual(status, 125)
        self.assertIn("net.ipv4.ip_forward=1", err)

    def test_second_holder_guards_the_host_alone(self):
        """The one that made the network goes first."""
        p, _a = self.server("red")
        q, _b = self.server("red")
        self.end(p)
        with socket.create_server(("0.0.0.0", 80)):
            self.assertRefused(self.connect("red", "203.0.113.1", 80))
            self.assertReached(self.connect("red", "203.0.113.10", 80))
            ns = self.cell_ns(q)
            out = self.inside(ns, sys.executable, self.path("client.py"), "203.0.113.1", "80").stdout
            self.assertRefused(out)

    def test_killed(self):
        p, _a = self.server("red")
        self.assertIn("gavel-up", self.host_state())
        self.end(p, signal.SIGKILL)
        until("the network of a killed process to go", lambda: not self.host_state())
        # The empty file goes with the next that looks.
        self.output(*self.options("red"), "--", "true")
        # Its cgroups go with the next instance that is started where it was; here the test is that.
        self.remove_cgroups()


def load_proto():
    with tempfile.TemporaryDirectory(prefix="gavel-proto-") as out:
        subprocess.run(["protoc", f"-I{base.TOP}/proto", f"--python_out={out}", "sandbox.proto"], check=True)
        sys.path.insert(0, out)
        try:
            return importlib.import_module("sandbox_pb2")
        finally:
            sys.path.remove(out)


class Cell:
    """A client of sandboxd, as judged is one."""

    def __init__(self, path, pb):
        self.pb = pb
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(60)
        until("sandboxd", lambda: self.sock.connect_ex(path) == 0)
        self.receive(pb.Welcome())

    def receive(self, message):
        data, control, _flags, _who = self.sock.recvmsg(65536, socket.CMSG_SPACE(800))
        fds = array.array("i")
        for level, kind, body in control:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds.frombytes(body)
        if not data:
            raise EOFError("the cell is gone")
        message.ParseFromString(data)
        return message, list(fds)

    def send(self, request):
        fd = os.memfd_create("gavel", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        os.fchmod(fd, 0o444)
        fcntl.fcntl(fd, 1033, 0xf)  # F_ADD_SEALS: all of them
        self.sock.sendmsg([request.SerializeToString()],
                          [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
        os.close(fd)

    def ask(self, network, group, *argv, wall_s=20, memory_mib=0):
        self.send(self.pb.Request(kind=self.pb.Request.RUN, policy="network", network=network, network_group=group,
                                  argv=argv, env=["PATH=/usr/bin:/bin"], wall_time_us=wall_s * 1000000,
                                  memory_bytes=memory_mib << 20))

    def answer(self):
        reply, fds = self.receive(self.pb.Reply())
        texts = []
        for fd in fds:
            with open(fd, "rb") as f:
                f.seek(0)
                texts.append(f.read().decode())
        return reply, texts

    def run(self, network, group, *argv):
        self.ask(network, group, *argv)
        return self.answer()

    def close(self):
        self.sock.close()


class Serving(Case):
    """A sandboxd, and cells of it."""

    def setUp(self):
        super().setUp()
        self.pb = load_proto()
        self.cells = []

    def tearDown(self):
        for cell in self.cells:
            cell.close()
        super().tearDown()

    def sandboxd(self):
        mine = os.path.join(self.cgroup, str(self.started))
        os.mkdir(mine)
        self.started += 1

        def join():
            with open(os.path.join(mine, "cgroup.procs"), "w") as f:
                f.write("0")
        with open(self.path("log"), "a") as log:
            p = subprocess.Popen([SANDBOXD, "--socket", self.path("sock"), "--rules", self.path("rules"), "--cells", "3",
                                  "--jury-cells", "1"], stdout=subprocess.DEVNULL, stderr=log, preexec_fn=join)
        self.running.append(p)
        return p

    def cell(self):
        cell = Cell(self.path("sock", "program.sock"), self.pb)
        self.cells.append(cell)
        return cell

    def shut(self, *cells):
        for cell in cells:
            cell.close()
            self.cells.remove(cell)

    def listener(self, cell, group):
        """Starts a server in this cell, and does not wait for it."""
        cell.ask(f"bridge:{self.name}", group, "/usr/bin/python3", "-c", SERVER.format(third=self.third))

    def client(self, cell, group, address, port=7000):
        reply, texts = cell.run(f"bridge:{self.name}", group, "/usr/bin/python3", "-c", CLIENT, address, str(port))
        self.assertEqual(reply.error, "")
        return texts[0]

    def holders(self, p):
        return [pid for pid in self.child_of(p.pid) if self.networks(pid)]

    def first_port(self, p):
        """Waits for the port of the first cell, and returns the namespace it is in."""
        def look():
            for pid in self.holders(p):
                found.extend(ns for ns in self.networks(pid) if " c0@" in self.inside(ns, "ip", "-o", "link").stdout)
            return found
        found = []
        until("the first cell's port", look)
        return found[0]


class ServedInside(Serving):
    """No network leads out, so nobody needs a right over the host's."""
    third = 14

    def test_without_a_right_over_the_host(self):
        p = self.sandboxd()
        a, b, c = self.cell(), self.cell(), self.cell()
        self.listener(a, "red")
        self.first_port(p)
        until("the server", lambda: self.client(b, "red", "10.213.14.2").startswith("reached"))
        self.assertReached(self.client(b, "red", "10.213.14.2"))
        self.assertRefused(self.client(c, "blue", "10.213.14.2"))
        self.assertEqual(len(self.holders(p)), 3)
        for pid in p.pid, *self.holders(p):
            with open(f"/proc/{pid}/status") as f:
                caps = dict(line.split(":\t") for line in f if line.startswith("Cap"))
            for kind in "CapPrm", "CapEff", "CapBnd":
                self.assertFalse(int(caps[kind], 16) & 1 << 12, "CAP_NET_ADMIN")

    def test_other_limits_keep_the_network(self):
        self.sandboxd()
        a = self.cell()
        for memory_mib in 64, 64, 65, 65, 66:  # each change throws away the child that was made ahead
            a.ask(f"bridge:{self.name}", "", "/usr/bin/python3", "-c", "import socket; print(socket.if_nameindex())",
                  memory_mib=memory_mib)
            reply, texts = a.answer()
            self.assertEqual(reply.error, "")
            self.assertIn("eth0", texts[0], f"with {memory_mib} MiB")

    def test_a_child_that_could_not_be_made_ahead_loses_no_network(self):
        """The first run's namespace is left only when the next child is made: here not until the next request comes."""
        self.sandboxd()
        a = self.cell()
        look = "/bin/sh", "-c", "sleep 0.1; cat /proc/self/net/dev"
        for folder, names, _files in os.walk(self.cgroup):
            for number in (2, 3) if "init" in names else ():  # tried while the first run sleeps, and at its end
                os.mkdir(os.path.join(folder, f"run-{number}"))
        for _ in range(3):
            reply, texts = a.run(f"bridge:{self.name}", "", *look)
            self.assertEqual(reply.error, "")
            self.assertIn("eth0", texts[0])


class Served(Serving, WithWorld):
    """Keepers share a network that leads out, and it goes with them."""
    third = 13

    def test_groups_and_again_in_the_same_cell(self):
        p = self.sandboxd()
        a, b, c = self.cell(), self.cell(), self.cell()
        self.listener(a, "red")
        address = f"10.213.{self.third}.2"  # the first there has the first address
        self.first_port(p)
        self.assertIn("gavel-up", self.host_state())
        until("the server", lambda: self.client(b, "red", address).startswith("reached"))
        for _ in range(3):  # each run has a new namespace, plugged in anew
            self.assertReached(self.client(b, "red", address))
            self.assertRefused(self.client(c, "blue", address))
        self.assertRefused(self.client(c, "blue", "203.0.113.1", 80))
        self.assertReached(self.client(c, "blue", "203.0.113.10", 80))
        reply, _texts = c.run(f"bridge:{self.name}", "red", "/bin/true")
        self.assertIn("fixed by the first request", reply.error)

    def test_refusals(self):
        self.sandboxd()
        a = self.cell()
        reply, _ = a.run("bridge:nowhere", "", "/bin/true")
        self.assertIn("network: no rule 'nowhere' in networks/", reply.error)
        reply, _ = a.run("bridge:" + self.name, "a b", "/bin/true")
        self.assertIn("network_group: must be", reply.error)
        reply, _ = a.run("none", "red", "/bin/true")
        self.assertIn("network_group: belongs to", reply.error)
        self.forward(0)
        reply, _ = a.run("bridge:" + self.name, "red", "/bin/true")
        self.assertIn("net.ipv4.ip_forward=1", reply.error)
        reply, _ = a.run("none", "", "/bin/true")  # the cell has not suffered
        self.assertEqual((reply.error, reply.status), ("", self.pb.EXITED))

    def test_gone_with_the_last_cell(self):
        self.sandboxd()
        a, b = self.cell(), self.cell()
        for cell in a, b:
            self.assertReached(self.client(cell, "red", "203.0.113.10", 80))
        self.assertIn("gavel-up", self.host_state())
        self.shut(a)
        self.assertReached(self.client(b, "red", "203.0.113.10", 80))
        self.shut(b)
        until("the network to go with its cells", lambda: not self.host_state() and not self.registered())

    def test_keeper_killed(self):
        p = self.sandboxd()
        a, b = self.cell(), self.cell()
        self.assertReached(self.client(a, "red", "203.0.113.10", 80))
        first = self.holders(p)
        self.assertReached(self.client(b, "red", "203.0.113.10", 80))
        self.assertEqual(len(self.holders(p)), 2)
        os.kill(first[0], signal.SIGKILL)
        self.assertRaises((EOFError, OSError), self.client, a, "red", "203.0.113.10", 80)
        self.assertReached(self.client(b, "red", "203.0.113.10", 80))
        self.assertRefused(self.client(b, "red", "203.0.113.1", 80))
        last = self.holders(p)
        self.assertEqual(len(last), 1)
        os.kill(last[0], signal.SIGKILL)
        until("the network of killed keepers to go", lambda: not self.host_state())
        c = self.cell()
        self.assertReached(self.client(c, "red", "203.0.113.10", 80))

    def test_master_killed(self):
        p = self.sandboxd()
        a = self.cell()
        self.listener(a, "red")
        ns = os.open(self.first_port(p), os.O_RDONLY)
        there = f"/proc/{os.getpid()}/fd/{ns}"
        try:
            self.end(p, signal.SIGKILL)
            # As this descriptor keeps the namespace, one can see in it that the cell's pair went by itself.
            until("the pair of a dead cell to go", lambda: " c0@" not in self.inside(there, "ip", "-o", "link").stdout)
        finally:
            os.close(ns)
        until("the network of a killed sandboxd to go", lambda: not self.host_state())
        self.remove_cgroups()
        self.sandboxd()
        self.assertReached(self.client(self.cell(), "red", "203.0.113.10", 80))


class BadInput(Case):
    def refused(self, status, *words):
        got, _out, err = self.run_(*words, "--", "true")
        self.assertEqual(got, status, err)
        return err

    def test_options(self):
        for words, said in (
            (["--net", "bridge:nowhere"], "network: no rule 'nowhere' in networks/"),
            (["--net", "bridge:"], "--net: 'bridge:' is not none, loopback, bridge or bridge:NAME"),
            (["--net", "bridge:../../etc"], "network: no rule"),
            (["--net-group", "red"], "--net-group: belongs to --net bridge"),
            (["--net", "bridge", "--net-group", ""], "--net-group: '' is not 1 to 64"),
            (["--net", "bridge", "--net-group", "a" * 65], "is not 1 to 64"),
            (["--net", "bridge", "--net-group", "a b"], "--net-group: 'a b' is not"),
        ):
            self.assertIn(said, self.refused(125, *words))

    def test_what_is_missing_is_named(self):
        """Without the library of the packet filter there is no network, and nothing runs; other runs do not care."""
        found = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
        library = os.path.realpath(next(line.split()[-1] for line in found.splitlines() if "libnftables.so.1 " in line))
        for kind, status, said in ("bridge", 125, "libnftables.so.1"), ("none", 0, ""):
            p = subprocess.run(["unshare", "--mount", "sh", "-c",
                                f'mount --bind /dev/null {library} && exec "$@"', "sh", base.SANDBOX, "run", "--net", kind,
                                "--", "true"], capture_output=True, text=True)
            self.assertEqual(p.returncode, status, p.stderr)
            self.assertIn(said, p.stderr)

    def test_rules(self):
        self.rule("colour: green\n")
        self.assertIn("line: 3", self.refused(125, *self.options("red")))
        self.rule("world: maybe\n")
        self.assertIn("world", self.refused(125, *self.options("red")))


if __name__ == "__main__":
    unittest.main()
