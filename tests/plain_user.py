"""A plain user as an administrator makes one who may have cells: subordinate ids, and a cgroup of his own, as systemd's
Delegate=yes gives it. For root, on a machine with cgroup v2.

    with PlainUser() as user:
        user.run(["build/bin/sandbox", "run", "--", "/bin/true"])

Nothing of it lasts: what he is in /etc only his own processes see, which have it mounted there.
"""
import os
import shutil
import subprocess
import tempfile

NAME, UID, GID = "cells", 61010, 61011
CGROUPS = "/sys/fs/cgroup"
# Not the same, and odd: nothing may rely on that.
SUBUID, SUBGID = f"{NAME}:700001:65536", f"{UID}:300000:65536"
DELEGATED = ("", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads")


def has_cgroup_v2():
    try:
        with open(f"{CGROUPS}/cgroup.controllers", encoding="utf-8") as f:
            return "memory" in f.read().split()
    except FileNotFoundError:
        return False


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


class PlainUser:
    """leaf: whether he starts in a leaf of what was delegated, or, as under systemd-run, in its top.  marked: as systemd does."""

    def __init__(self, subuid=SUBUID, subgid=SUBGID, controllers=("cpu", "cpuset", "memory", "pids"), delegated=True, leaf=True,
                 marked=True):
        self.subuid, self.subgid, self.controllers = subuid, subgid, controllers
        self.delegated, self.leaf, self.marked = delegated, leaf, marked

    def __enter__(self):
        self.etc = tempfile.mkdtemp(prefix="gavel-etc-")
        os.chmod(self.etc, 0o755)
        for name, line in (("passwd", f"{NAME}:x:{UID}:{GID}::{self.etc}/home:/bin/sh"), ("group", f"{NAME}:x:{GID}:")):
            with open(f"/etc/{name}", encoding="utf-8") as f:
                write(f"{self.etc}/{name}", f"{f.read()}{line}\n")
        write(f"{self.etc}/subuid", self.subuid + "\n")
        write(f"{self.etc}/subgid", self.subgid + "\n")
        for folder in ("home", "runtime"):
            os.mkdir(f"{self.etc}/{folder}", 0o700)
            os.chown(f"{self.etc}/{folder}", UID, GID)
        self.cgroup = self.place = None
        if has_cgroup_v2():
            self.delegate()
        return self

    def delegate(self):
        for name in self.controllers:
            write(f"{CGROUPS}/cgroup.subtree_control", f"+{name}")
        self.cgroup = self.place = tempfile.mkdtemp(prefix="user-", dir=CGROUPS)
        os.chmod(self.cgroup, 0o755)
        for name in self.controllers if self.leaf else ():
            write(f"{self.cgroup}/cgroup.subtree_control", f"+{name}")
        if self.leaf:
            self.place = f"{self.cgroup}/leaf"
            os.mkdir(self.place)
        for folder in {self.cgroup, self.place} if self.delegated else ():
            for name in DELEGATED:
                os.chown(os.path.join(folder, name), UID, GID)
        if self.delegated and self.marked:
            os.setxattr(self.cgroup, "user.delegate", b"1")

    def __exit__(self, *_):
        try:
            if self.cgroup:
                for folder, _, _ in os.walk(self.cgroup, topdown=False):
                    os.rmdir(folder)  # fails while a process is in it
        finally:
            shutil.rmtree(self.etc)

    def left(self):
        """Cgroups below his own that were not there before."""
        found = [os.path.join(folder, name) for folder, names, _ in os.walk(self.cgroup or "") for name in names]
        return [path for path in found if path != self.place]

    def command(self, argv):
        """The same as this user, without any right of root's, in a mount namespace in which /etc says who he is."""
        settings = {"HOME": f"{self.etc}/home", "XDG_RUNTIME_DIR": f"{self.etc}/runtime", "USER": NAME,
                    "GAVEL_ROOTLESS": self.cgroup or ""}
        mounts = " && ".join(f"mount -n --bind {self.etc}/{name} /etc/{name}" for name in ("passwd", "group", "subuid", "subgid"))
        return ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", f'{mounts} && exec "$@"', "sh",
                "/usr/bin/setpriv", "--reuid", str(UID), "--regid", str(GID), "--clear-groups", "--inh-caps", "-all",
                "/usr/bin/env", *(f"{name}={value}" for name, value in settings.items()), *argv]

    def enter(self):
        if self.place:
            write(f"{self.place}/cgroup.procs", "0")

    def start(self, argv, **options):
        return subprocess.Popen(self.command(argv), preexec_fn=self.enter, **options)

    def run(self, argv, **options):
        """Its exit status and all it said."""
        with self.start(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                        **options) as process:
            said, _ = process.communicate(timeout=120)
            return process.returncode, said
