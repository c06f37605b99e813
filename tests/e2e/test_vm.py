#!/usr/bin/python3
"""The machine of tests/vm: what comes out of it, and that nothing of it is left, whatever way it ends."""
import glob
import os
import signal
import subprocess
import sys
import tempfile
import unittest

from gavel import ROOT, alive, descendants, until

VM = [f"{ROOT}/tests/vm/vm.py"]
QEMU = "/usr/bin/qemu-system-x86_64"
BOOT_S = 600  # on a very busy machine


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().split(b"\0")
    except OSError:
        return []


def heed_interrupts():
    """A shell starts what it puts into the background with interrupts ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@unittest.skipIf(not os.path.exists(QEMU), "needs make deps-vm")
@unittest.skipIf(os.uname().nodename == "gavel-vm", "a machine in the machine takes too long")
class Machine(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gavel-e2e-")
        self.environment = {**os.environ, "TMPDIR": self.folder}

    def tearDown(self):
        os.rmdir(self.folder)

    def started(self, *words):
        """vm.py with a machine that has begun to boot, and the processes that belong to it."""
        vm = subprocess.Popen(VM + list(words), env=self.environment, cwd=ROOT, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, start_new_session=True, preexec_fn=heed_interrupts)
        self.addCleanup(lambda: vm.poll() is None and vm.kill())

        def running():
            below = descendants(vm.pid)
            return below if any(command_line(p)[:1] == [QEMU.encode()] for p in below) else None
        return vm, until("the machine to start", running)

    def gone(self, below):
        until("the processes of the machine to end", lambda: not any(map(alive, below)))
        until("its files to be removed", lambda: not glob.glob(f"{self.folder}/*"))

    def test_output_and_status_come_out(self):
        done = subprocess.run(VM + ["/bin/sh", "-c", "echo from $(uname -n); exit 7"], env=self.environment, cwd=ROOT,
                              stdout=subprocess.PIPE, text=True, timeout=BOOT_S, check=False)
        self.assertEqual((done.stdout, done.returncode), ("from gavel-vm\n", 7))
        self.gone([])

    def test_a_limit_ends_it(self):
        done = subprocess.run(VM + ["--limit", "2", "/bin/sleep", "1000"], env=self.environment, cwd=ROOT,
                              stderr=subprocess.PIPE, text=True, timeout=BOOT_S, check=False)
        self.assertEqual(done.returncode, 124)
        self.assertIn("vm: stopped after 2 s", done.stderr)
        self.gone([])

    def test_killed_it_leaves_nothing(self):
        vm, below = self.started("/bin/sleep", "1000")
        vm.kill()
        vm.wait()
        self.gone(below)

    def test_killed_with_its_group_it_leaves_nothing(self):
        vm, below = self.started("/bin/sleep", "1000")
        os.killpg(vm.pid, signal.SIGKILL)
        vm.wait()
        self.gone(below)

    def test_interrupted_it_leaves_nothing(self):
        vm, below = self.started("/bin/sleep", "1000")
        os.killpg(vm.pid, signal.SIGINT)
        self.assertEqual(vm.wait(60), 130)
        self.gone(below)

    def test_bad_options(self):
        for words, said in (([], "no command"), (["--clock", "x", "true"], "--clock x"), (["--cpus", "2", "true"], "--cpus")):
            done = subprocess.run(VM + words, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(said, done.stderr)


if __name__ == "__main__":
    sys.exit(unittest.main())
