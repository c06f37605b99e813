#!/usr/bin/python3
"""Roots: programs in a folder, a squashfs and an erofs image, and an OCI image layout, each with nothing but busybox; and
sandboxd with such a root, judging."""
import gzip
import hashlib
import io
import json
import os
import platform
import shutil
import stat
import subprocess
import tarfile
import tempfile
import unittest

import gavel
import test_sandbox_run

BUSYBOX = "/bin/busybox"
TOOLS = "sh", "cat", "ls", "id", "env", "touch", "stat"
TYPE = "application/vnd.oci.image."
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]


def make_tree(path):
    """A root file system that has wrong ideas of what is the cell's own."""
    for name in "bin", "etc", "tmp", "proc", "box", "dev", "opt":
        os.makedirs(os.path.join(path, name))
        os.chmod(os.path.join(path, name), 0o755)
    shutil.copy(BUSYBOX, os.path.join(path, "bin/busybox"))
    os.chmod(os.path.join(path, "bin/busybox"), 0o4755)
    for tool in TOOLS:
        os.symlink("busybox", os.path.join(path, "bin", tool))
    os.symlink("nowhere/at/all", os.path.join(path, "dangling"))
    for name, text in (("etc/motd", "from the image\n"), ("etc/passwd", "evil:x:1000:1000::/:/bin/sh\n"),
                       ("tmp/image", ""), ("proc/image", ""), ("box/image", ""), ("dev/image", ""), ("opt/here", "")):
        with open(os.path.join(path, name), "w") as f:
            f.write(text)
        os.chmod(os.path.join(path, name), 0o644)


def blob(layout, data, type_):
    digest = hashlib.sha256(data).hexdigest()
    path = os.path.join(layout, "blobs/sha256")
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, digest), "wb") as f:
        f.write(data)
    return {"mediaType": TYPE + type_, "digest": "sha256:" + digest, "size": len(data)}


def make_layout(path, tree):
    """What skopeo copy ... oci:PATH writes for an image of one layer."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as t:
        t.add(tree, ".")
    config = {"architecture": MACHINE, "os": "linux", "config": {"Env": ["PATH=/bin", "COLOUR=red"]},
              "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar.getvalue()).hexdigest()]}}
    manifest = {"schemaVersion": 2, "mediaType": TYPE + "manifest.v1+json",
                "config": blob(path, json.dumps(config).encode(), "config.v1+json"),
                "layers": [blob(path, gzip.compress(tar.getvalue()), "layer.v1.tar+gzip")]}
    index = {"schemaVersion": 2, "manifests": [blob(path, json.dumps(manifest).encode(), "manifest.v1+json")]}
    for name, content in ("index.json", index), ("oci-layout", {"imageLayoutVersion": "1.0.0"}):
        with open(os.path.join(path, name), "w") as f:
            json.dump(content, f)


def loops():
    """Loop devices in use, and what they read."""
    return subprocess.run(["losetup", "-nO", "NAME,BACK-FILE"], stdout=subprocess.PIPE, text=True, check=True).stdout


class Roots(test_sandbox_run.Case):
    def setUp(self):
        super().setUp()
        make_tree(self.path("tree"))

    def tearDown(self):
        with open("/proc/self/mounts") as f:
            self.assertNotIn(self.dir, f.read(), "a mount was left behind")
        self.assertNotIn(self.dir, loops(), "a loop device was left behind")
        super().tearDown()

    def make_image(self, kind, *command):
        """True if this kernel can mount it; if not, the sandbox must say so."""
        image = self.path("root." + kind)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        if os.geteuid() != 0:
            status, _out, err = self.run_("--root", image, "--", "/bin/sh", "-c", ":")
            self.assertEqual(status, 125)
            self.assertIn("only root can mount an image", err)
            return False
        subprocess.run(["modprobe", "-q", kind], stderr=subprocess.DEVNULL, check=False)
        with open("/proc/filesystems") as f:
            known = kind in f.read().split()
        if known and os.path.exists("/dev/loop-control"):
            return True
        status, _out, err = self.run_("--root", image, "--root-cache", "cache", "--", "/bin/sh", "-c", ":")
        self.assertEqual(status, 125)
        self.assertIn("this kernel has no " + kind if os.path.exists("/dev/loop-control") else "loop", err)
        return False

    def roots(self):
        """Every kind of root, made of the same tree."""
        yield "tree"
        make_layout(self.path("layout"), self.path("tree"))
        yield "layout"
        if self.make_image("squashfs", "mksquashfs", self.path("tree"), self.path("root.squashfs"), "-quiet", "-no-progress"):
            yield "root.squashfs"
        if self.make_image("erofs", "mkfs.erofs", "--quiet", self.path("root.erofs"), self.path("tree")):
            yield "root.erofs"

    def unpacking(self):
        """Folders that are being filled."""
        return [n for n in os.listdir(self.path("cache")) if n.startswith(".new-")] if os.path.exists(self.path("cache")) else []

    def in_root(self, root, text, *options):
        return self.output("--root", root, "--root-cache", "cache", *options, "--", "/bin/sh", "-c", text)

    def test_a_program_in_each(self):
        for root in self.roots():
            with self.subTest(root):
                self.assertEqual(self.in_root(root, "cat /etc/motd"), "from the image\n")
                # Nothing of the host; what is the cell's own is not the image's.
                self.assertEqual(sorted(self.in_root(root, "ls /").split()),
                                 ["bin", "box", "dangling", "dev", "etc", "opt", "prepared", "proc", "program", "tmp"])
                self.assertEqual(self.in_root(root, "ls /tmp /box"), "/box:\n\n/tmp:\n")
                self.assertNotIn("image", self.in_root(root, "ls /dev /proc"))
                self.assertEqual(self.in_root(root, "id -un"), "sandbox\n")
                self.assertEqual(self.in_root(root, "echo x > /tmp/x; echo y > z; cat /tmp/x z"), "x\ny\n")

    def test_none_can_be_written_to(self):
        for root in self.roots():
            with self.subTest(root):
                for target in "/bin/x", "/etc/motd", "/opt/x", "/x", "/etc/passwd":
                    status, _out, err = self.run_("--root", root, "--root-cache", "cache", "--", "/bin/sh", "-c", f"echo > {target}")
                    self.assertNotEqual(status, 0, target)
                    self.assertRegex(err, "Read-only|denied", target)

    def test_mount_into_each(self):
        self.write("data/x", "mounted\n")
        for root in self.roots():
            with self.subTest(root):
                options = "--mount", "data:/opt/data", "--mount", "data/x:/etc/motd", "--mount", "data:/new/deep"
                self.assertEqual(self.in_root(root, "cat /opt/data/x /etc/motd /new/deep/x; ls /opt", *options),
                                 "mounted\n" * 3 + "data\nhere\n")

    def test_mount_through_a_link(self):
        """Links of the image lead to where they would lead a program, and never to the host."""
        self.write("data/x", "mounted\n")
        os.symlink("/opt", self.path("tree/link"))
        os.symlink("../../.." + self.dir, self.path("tree/out"))
        make_layout(self.path("layout"), self.path("tree"))
        self.assertEqual(self.in_root("layout", "cat /opt/here /link/here", "--mount", "data/x:/link/here"), "mounted\n" * 2)
        for target in "/link/missing", "/out/missing", "/dangling/missing", "/etc/motd/missing":
            status, _out, err = self.run_("--root", "layout", "--root-cache", "cache", "--mount", f"data:{target}", "--", "/bin/sh", "-c", ":")
            self.assertEqual(status, 125, target)
            self.assertIn(target, err)
        self.assertFalse(os.path.exists(self.path("missing")))

    def test_setuid_of_a_layer_is_gone(self):
        make_layout(self.path("layout"), self.path("tree"))
        self.assertEqual(self.in_root("layout", "stat -c %a /bin/busybox"), "755\n")
        for top, _folders, files in os.walk(self.path("cache")):
            for name in files:
                mode = os.lstat(os.path.join(top, name)).st_mode
                self.assertFalse(mode & (stat.S_ISUID | stat.S_ISGID) and stat.S_ISREG(mode), name)

    def test_environment_of_the_image(self):
        make_layout(self.path("layout"), self.path("tree"))
        self.assertEqual(self.in_root("layout", "echo $COLOUR $PATH $HOME"), "red /bin /box\n")
        self.assertEqual(self.in_root("layout", "echo $COLOUR $PATH", "--env", "COLOUR=blue"), "blue /bin\n")

    def test_what_is_no_root(self):
        self.write("file", "not an image")
        self.write("broken/oci-layout", "{}")
        self.write("bad.squashfs", "hsqs" + "x" * 5000)
        for root, message in (("no/such", "No such file"), ("file", "no squashfs or erofs image"), ("/dev/null", "neither"),
                              ("broken", "imageLayoutVersion"), ("bad.squashfs", "squashfs")):
            status, _out, err = self.run_("--root", root, "--root-cache", "cache", "--", "true")
            self.assertEqual(status, 125, root)
            self.assertIn("--root", err)
            self.assertIn(message, err)

    def test_interrupted_while_unpacking(self):
        with open(self.path("tree/big"), "wb") as f:
            f.write(os.urandom(1 << 20) * 64)
        make_layout(self.path("layout"), self.path("tree"))
        p = self.start("--root", "layout", "--root-cache", "cache", "--", "/bin/sh", "-c", ":")
        while p.poll() is None and not self.unpacking():
            pass
        p.terminate()
        p.communicate(timeout=60)
        self.assertEqual(p.returncode, -15)
        self.assertEqual(self.unpacking(), [])
        self.assertEqual(self.in_root("layout", "ls /big"), "/big\n")


SHELL = """
name: shell
title: Shell
extensions: [sh]
version: [/bin/busybox]
run:
  command: [/bin/sh, "/program/{main}"]
  policy: managed
  env: ["PATH=/bin"]
  processes: 4
"""


@unittest.skipIf(os.geteuid() != 0 and "GAVEL_ROOTLESS" not in os.environ, "cells need root, or tests/plain_user.py")
class Judging(unittest.TestCase):
    """A sandboxd whose only root is the image: a language that is there and nowhere else is judged in it."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="gavel-test-")
        os.chmod(self.dir, 0o755)
        self.addCleanup(shutil.rmtree, self.dir)
        self.rules = os.path.join(self.dir, "rules")
        shutil.copytree(os.path.join(gavel.ROOT, "rules"), self.rules)
        for name in os.listdir(os.path.join(self.rules, "languages")):
            os.unlink(os.path.join(self.rules, "languages", name))
        with open(os.path.join(self.rules, "languages/shell.yaml"), "w") as f:
            f.write(SHELL)
        make_tree(os.path.join(self.dir, "tree"))

    def use(self, source):
        """Takes the binds of the host out of the default root, and puts `from` in."""
        path = os.path.join(self.rules, "roots/default.yaml")
        with open(path) as f:
            rows = [line for line in f if "type: bind" not in line]
        with open(path, "w") as f:
            f.writelines(f"from: {source}\n" + line if line.startswith("mounts:") else line for line in rows)

    def judge(self):
        options = "--root-cache", os.path.join(self.dir, "cache")
        with gavel.Gavel(cells=1, problems=(), rules=self.rules, sandboxd_options=options) as g:
            for part in "data", "problem.yaml", ".timelimit":
                source = os.path.join(gavel.ROOT, "problems/aplusb", part)
                target = os.path.join(g.dir, "problems/aplusb", part)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, target)
            g.start_sandboxd()
            g.start_judged()
            for text, verdict in ((b"read a b; echo $((a + b))", "ACCEPTED"), (b"ls /usr/bin/gcc && echo 0", "RUN_TIME_ERROR")):
                submission = g.submit("aplusb", "shell", "sum.sh", text)
                events = list(g.follow(submission))
                self.assertEqual(gavel.pb.Verdict.Name(events[-1].verdict), verdict, events[-1].message)

    def test_with_an_oci_image(self):
        make_layout(os.path.join(self.dir, "layout"), os.path.join(self.dir, "tree"))
        self.use(os.path.join(self.dir, "layout"))
        self.judge()

    @unittest.skipIf(os.geteuid() != 0, "only root can mount an image")
    def test_with_a_squashfs_image(self):
        subprocess.run(["modprobe", "-q", "squashfs"], stderr=subprocess.DEVNULL, check=False)
        with open("/proc/filesystems") as f:
            if "squashfs" not in f.read().split() or not os.path.exists("/dev/loop-control"):
                self.skipTest("this kernel has no squashfs or no loop devices")
        image = os.path.join(self.dir, "root.squashfs")
        subprocess.run(["mksquashfs", os.path.join(self.dir, "tree"), image, "-quiet", "-no-progress"], check=True)
        self.use(image)
        self.judge()
        with open("/proc/self/mounts") as f:
            self.assertNotIn(self.dir, f.read())
        gavel.until("the loop device to go", lambda: self.dir not in loops())

    def test_with_a_broken_image(self):
        os.mkdir(os.path.join(self.dir, "layout"))
        with open(os.path.join(self.dir, "layout/oci-layout"), "w") as f:
            f.write("{}")
        self.use(os.path.join(self.dir, "layout"))
        p = subprocess.run([os.path.join(gavel.ROOT, "build/bin/sandboxd"), "--rules", self.rules, "--socket", self.dir + "/run",
                            "--root-cache", self.dir + "/cache"], stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(p.returncode, 1)
        self.assertIn("root default: from", p.stderr)
        self.assertIn("imageLayoutVersion", p.stderr)
        self.assertFalse(os.path.exists(self.dir + "/run"))


if __name__ == "__main__":
    unittest.main()
