"""The host as an attack must leave it: traps that it could reach, and a look at what has changed.

One Host belongs to one process that runs one attack. As root that process gets a mount namespace of its own,
with propagation on, and an empty /tmp, /var/tmp, /dev/shm and /run: a mount or a file that the sandbox leaves is
then seen at once, and what other programs do at the same time is not.
"""

import ctypes
import fcntl
import os
import pty
import random
import secrets
import select
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import termios
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_REC, MS_PRIVATE, MS_SHARED = 0x4000, 1 << 18, 1 << 20
MS_NOSUID, MS_NODEV = 2, 4
IPC_CREAT, IPC_RMID = 0o1000, 0
MARK = 0x67617665  # the key that left_behind.c uses
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WORLD, SUBNET = "192.0.2.77", "10.213.40"  # addresses of the host and of cells, in attacks on private networks
NAMESPACES = ("mnt", "pid", "net", "ipc", "uts", "user", "cgroup")


def read(path):
    try:
        with open(path, errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def children(pid):
    """Living children of a process, of all its threads."""
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            found += [int(p) for p in read(f"/proc/{pid}/task/{task}/children").split()]
    except OSError:
        pass
    return [p for p in found if read(f"/proc/{p}/stat").rpartition(")")[2].split()[:1] != ["Z"]]


def cgroup_mounts():
    """Where each cgroup hierarchy is mounted, and the folder of this process in it."""
    mine = [line.split(":", 2) for line in read("/proc/self/cgroup").splitlines()]
    for line in read("/proc/self/mountinfo").splitlines():
        fields, _, kind = line.partition(" - ")
        top, options = fields.split()[4], set(kind.split()[2].split(","))
        for _, controllers, path in mine:
            if kind.startswith("cgroup2 ") and not controllers:
                yield top, {top, top + os.path.dirname(path).rstrip("/"), top + path.rstrip("/")}
            elif kind.startswith("cgroup ") and controllers and set(controllers.split(",")) <= options:
                yield top, {top + path.rstrip("/")}


def gavel_cgroups():
    """Folders that a sandbox started from here would make: none of that name is anywhere but beside this process."""
    ours, others = set(), set()
    for top, homes in cgroup_mounts():
        for folder, folders, _ in os.walk(top):
            for name in [name for name in folders if name.startswith("gavel-")]:
                folders.remove(name)
                if folder in homes:
                    ours.add(os.path.join(folder, name))
                else:
                    others.add(name)
    return {path for path in ours if os.path.basename(path) not in others}


def cgroup_in_use(path):
    """Whether a sandbox lives here: it holds a lock on its folder until its last process has ended."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except OSError:
        return True
    finally:
        os.close(fd)


class Host:
    def __init__(self, keep_visible, bridged=False):
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        self.private = self.own_mounts(keep_visible) if os.getuid() == 0 else []
        self.secret = "SECRET-" + secrets.token_hex(12)
        self.work = tempfile.mkdtemp(prefix="gavel-attack-")
        # Nothing is protected by its mode: what cannot be reached must be out of reach.
        os.chmod(self.work, 0o777)
        self.folder("secret", "cwd", "out", "build")
        self.canaries = [self.file("secret/canary"), self.file("secret/out")]
        self.input = self.file("input", "input of the attack\n")
        if bridged:
            self.own_network()
        self.victim = subprocess.Popen(["/bin/sleep", "600"], env={"SECRET": self.secret})
        self.visits = []
        self.tcp = self.listen(socket.AF_INET, ("0.0.0.0" if bridged else "127.0.0.1", 0))
        self.abstract = "gavel-attack-" + secrets.token_hex(8)
        self.unix = self.listen(socket.AF_UNIX, "\0" + self.abstract)
        self.shm_name = "gavel-attack-" + secrets.token_hex(8)
        with open("/dev/shm/" + self.shm_name, "w") as f:
            f.write(self.secret)
        os.chmod("/dev/shm/" + self.shm_name, 0o666)
        self.shm_key = random.randrange(1 << 20, 1 << 30)
        self.shm_id = libc.shmget(self.shm_key, 4096, IPC_CREAT | 0o666)
        self.plant_key()
        self.before = self.look()

    def own_mounts(self, keep_visible):
        if libc.unshare(CLONE_NEWNS):
            return []
        # First away from the host's peers, then peers again: what leaks, leaks here.
        libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None)
        libc.mount(None, b"/", None, MS_REC | MS_SHARED, None)
        folders = [p for p in ("/tmp", "/var/tmp", "/dev/shm", "/run") if not any(v.startswith(p + "/") for v in keep_visible)]
        for path in folders:
            libc.mount(b"tmpfs", path.encode(), b"tmpfs", MS_NOSUID | MS_NODEV, b"mode=1777")
        return folders

    def own_network(self):
        """The host in a network namespace of its own, with an address for the world, and the rule of a private network."""
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        for words in ("link set lo up", "link add world0 type veth peer name world1", f"addr add {WORLD}/24 dev world0", "link set world0 up"):
            subprocess.run(["ip", *words.split()], check=True)
        self.network, self.rules = f"attack-{os.getpid()}", os.path.join(self.work, "rules")
        self.folder("rules", "rules/networks")
        for name in ("roots", "seccomp"):
            os.symlink(os.path.join(TOP, "rules", name), os.path.join(self.rules, name))
        with open(os.path.join(self.rules, "networks", self.network + ".yaml"), "w") as f:
            f.write(f"name: {self.network}\nsubnet: {SUBNET}.0/28\ngroups: true\nconnections: 64\n")

    def plant_key(self):
        """In a session keyring that is this process's and its children's only; a kernel may have none."""
        add_key, keyctl, join, session = 248, 250, 1, -3
        if libc.syscall(keyctl, join, None) >= 0:
            libc.syscall(add_key, b"user", b"gavel-attack-key", self.secret.encode(), len(self.secret), session)

    def folder(self, *names):
        for name in names:
            os.mkdir(os.path.join(self.work, name))
            os.chmod(os.path.join(self.work, name), 0o777)

    def file(self, name, text=None):
        path = os.path.join(self.work, name)
        with open(path, "w") as f:
            f.write(text or self.secret + "\n")
        os.chmod(path, 0o666)
        return path

    def listen(self, family, address):
        s = socket.socket(family, socket.SOCK_STREAM)
        s.bind(address)
        s.listen(8)

        def serve():
            while True:
                try:
                    peer, _ = s.accept()
                except OSError:
                    return
                self.visits.append(address)
                peer.sendall(self.secret.encode())
                peer.close()

        threading.Thread(target=serve, daemon=True).start()
        return s

    def environment(self, turn):
        """What the attack is told, so that it need not guess."""
        namespaces = " ".join(os.readlink(f"/proc/self/ns/{name}") for name in NAMESPACES)
        return {
            "CANARY": self.canaries[0],
            "VICTIM_PID": str(self.victim.pid),
            "TCP_PORT": str(self.tcp.getsockname()[1]),
            "ABSTRACT": self.abstract,
            "SHM_KEY": str(self.shm_key),
            "SHM_NAME": "/" + self.shm_name,
            "HOST_NAMESPACES": namespaces,
            "HOST_NAME": os.uname().nodename,
            "HOST_ADDRESS": WORLD,
            "HOST_SUBNET": SUBNET,
            "ROUND": str(turn),
            "PATH": "/usr/bin:/bin",
            "HOME": "/tmp",
            "LC_ALL": "C.UTF-8",
        }

    def look(self):
        """What must be the same afterwards. /proc/self/mountinfo without the numbers of peer groups."""
        return {
            "mount": {" ".join(line.split(" - ")[0].split()[3:6]) for line in read("/proc/self/mountinfo").splitlines()},
            "file": {
                os.path.join(folder, name)
                for folder in self.private
                for name in os.listdir(folder)
            }
            | {os.path.join(self.work, "cwd", name) for name in os.listdir(os.path.join(self.work, "cwd"))},
            "SysV segment": {line for line in read("/proc/sysvipc/shm").splitlines() if line.split()[0] == str(MARK)},
            "setting": {read("/proc/sys/kernel/core_pattern"), os.uname().nodename},
            "cgroup": gavel_cgroups(),
        }

    def left_processes(self):
        """What the sandbox started and did not end: orphans come to this process."""
        end = time.monotonic() + 3
        while True:
            left = [p for p in children(os.getpid()) if p != self.victim.pid]
            if not left or time.monotonic() > end:
                break
            time.sleep(0.02)
        named = [f"process {p} {read(f'/proc/{p}/comm').strip()}" for p in left]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        return named

    def changed(self):
        """One line for each thing that is not as it was."""
        harm = self.left_processes()
        end = time.monotonic() + 3
        while True:
            now = self.look()
            differ = [
                f"{what} {'left' if thing in now[what] else 'gone'}: {thing}"
                for what in self.before
                for thing in self.before[what] ^ now[what]
                if not (what == "cgroup" and (thing not in now[what] or cgroup_in_use(thing)))
            ]
            if not differ or time.monotonic() > end:
                break
            time.sleep(0.05)
        harm += differ
        state = read(f"/proc/{self.victim.pid}/stat").rpartition(")")[2].split()[:1]
        if self.victim.poll() is not None or state not in (["S"], ["R"], ["D"]):
            harm.append(f"the victim process is {state or 'dead'}")
        harm += [f"somebody connected to {address!r}" for address in self.visits]
        for path in self.canaries + [self.input]:
            text = "input of the attack\n" if path == self.input else self.secret + "\n"
            if read(path) != text or stat.S_IMODE(os.stat(path).st_mode) != 0o666:
                harm.append(f"{os.path.basename(path)} was changed")
        for folder, folders, files in os.walk(os.path.join(self.work, "out")):
            harm += [wrong for name in folders + files for wrong in self.unsafe(os.path.join(folder, name))]
        return harm

    def unsafe(self, path):
        """What is wrong with a file that came out of the box."""
        st = os.lstat(path)
        name = os.path.relpath(path, self.work)
        if not stat.S_ISREG(st.st_mode) and not stat.S_ISDIR(st.st_mode):
            return [f"{name} came out, which is no file"]
        if st.st_mode & 0o6000:
            return [f"{name} came out with set-id bits"]
        if st.st_size > 256 << 20:
            return [f"{name} came out with {st.st_size} bytes"]
        if stat.S_ISREG(st.st_mode) and self.secret in read(path):
            return [f"{name} came out with the host's secret in it"]
        return []

    def close(self):
        self.victim.kill()
        self.victim.wait()
        for s in (self.tcp, self.unix):
            s.close()
        libc.shmctl(self.shm_id, IPC_RMID, None)
        if os.path.exists("/dev/shm/" + self.shm_name):
            os.unlink("/dev/shm/" + self.shm_name)
        shutil.rmtree(self.work, ignore_errors=True)


class Terminal:
    """A terminal for the sandbox to be started on, and what was typed into it by others."""

    def __init__(self):
        self.master, self.slave = pty.openpty()
        mode = termios.tcgetattr(self.slave)
        mode[3] &= ~(termios.ICANON | termios.ECHO)
        termios.tcsetattr(self.slave, termios.TCSANOW, mode)

    def become_controlling(self):
        os.setsid()
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

    def typed(self):
        ready, _, _ = select.select([self.slave], [], [], 0.1)
        return os.read(self.slave, 100) if ready else b""

    def close(self):
        os.close(self.master)
        os.close(self.slave)
