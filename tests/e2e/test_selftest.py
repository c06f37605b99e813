#!/usr/bin/python3
"""`sandbox selftest`: what it tells of attacks that are held, that get through, and that cannot be tried."""
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("SANDBOX_BIN", os.path.join(TOP, "build", "bin"))
SANDBOX = os.path.join(BIN, "sandbox")
SHIPPED = os.path.join(TOP, "build/lib/gavel/attacks")
NOBODY = 65534
PATIENCE_S = 600


def selftest(*argv, **more):
    """(exit status, standard output, standard error)"""
    p = subprocess.run([SANDBOX, "selftest", *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True, timeout=PATIENCE_S, **more)
    return p.returncode, p.stdout, p.stderr


def traces():
    """What a selftest makes while it runs."""
    with open("/proc/sysvipc/shm", encoding="utf-8") as f:
        segments = {line.split()[1] for line in f}
    return {os.path.join(d, n) for d in ("/tmp", "/dev/shm") for n in os.listdir(d) if n.startswith("gavel-selftest")}, segments


class Case(unittest.TestCase):
    def setUp(self):
        if os.getuid() != 0:
            self.skipTest("needs root")

    def attacks(self, **programs):
        """A folder with attacks of our own: NAME=(keys, text of a shell script)."""
        folder = tempfile.mkdtemp(prefix="gavel-own-")
        self.addCleanup(shutil.rmtree, folder)
        with open(os.path.join(folder, "list"), "w", encoding="utf-8") as f:
            for name, (keys, _) in programs.items():
                f.write(f"own/{name}.c expect=exited:0 policy=compiler processes=8 {keys}\n")
        for name, (_, text) in programs.items():
            path = os.path.join(folder, name)
            with open(path, "w", encoding="utf-8") as f:
                f.write("#!/bin/sh\n" + text)
            os.chmod(path, 0o755)
        os.chmod(folder, 0o755)
        return folder


class Held(Case):
    def test_shipped_attacks(self):
        before = traces()
        status, out, err = selftest("--json", "theft", "host", "leftovers")
        self.assertEqual(traces()[0] - before[0], set())
        found = json.loads(out)
        bad = [a for a in found["attacks"] if a["outcome"] == "not held"]
        self.assertEqual((status, err, bad), (0, "", []))
        self.assertEqual({a["group"] for a in found["attacks"]}, {"theft", "host", "leftovers"})
        self.assertEqual(found["tried"], found["held"])
        self.assertEqual(found["tried"] + found["not_tried"], len(found["attacks"]))
        self.assertGreater(found["tried"], 30)
        for a in found["attacks"]:
            self.assertTrue(a["why"] and a["layers"], a)

    def test_all_attacks_are_shipped(self):
        """But those that need a compiler, a private network, judged or another runtime."""
        with open(os.path.join(SHIPPED, "list"), encoding="utf-8") as f:
            shipped = {line.split()[0] for line in f}
        wanted = set()
        for folder, _, names in os.walk(os.path.join(TOP, "tests/attack")):
            group = os.path.basename(folder)
            for name in names if group not in ("attack", "compile", "protocol", "__pycache__") else ():
                with open(os.path.join(folder, name), encoding="utf-8") as f:
                    if name.endswith((".c", ".cpp", ".S", ".py")) and not re.search(" net=bridge| verdict=", f.readline()):
                        wanted.add(f"{group}/{name}")
        self.assertEqual(shipped, wanted)

    def test_part_of_them(self):
        for names, pattern in ((["fork_bomb"], "starvation/fork_bomb"), (["forbidden:bpf"], "escape/forbidden:bpf"),
                               (["environment"], ".*"), (["theft/signals", "busy"], "theft/signals|measure/busy")):
            status, out, err = selftest("--json", *names)
            found = [a["name"] for a in json.loads(out)["attacks"]]
            self.assertEqual((status, err), (0, ""), out)
            for name in found:
                self.assertRegex(name, f"^({pattern})$")
            self.assertTrue(found)
        layers = {layer for a in json.loads(selftest("--json", "environment")[1])["attacks"] for layer in re.split("[,+]", a["layers"])}
        self.assertIn("environment", layers)

    def test_installed(self):
        """Beside the program, wherever that is, and with nothing of this checkout."""
        prefix = tempfile.mkdtemp(prefix="gavel-own-")
        self.addCleanup(shutil.rmtree, prefix)
        for source, place in ((SANDBOX, "bin/sandbox"), (SHIPPED, "lib/gavel/attacks"), (os.path.join(TOP, "rules"), "share/gavel/rules")):
            path = os.path.join(prefix, place)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, path)
        p = subprocess.run([f"{prefix}/bin/sandbox", "selftest", "environment"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           text=True, cwd="/", timeout=PATIENCE_S, check=False)
        self.assertEqual(p.returncode, 0, p.stdout)

    def test_table(self):
        status, out, err = selftest("--verbose", "environment", "fork_bomb")
        self.assertEqual((status, err), (0, ""))
        self.assertRegex(out, r"(?m)^held +theft/environment$")
        self.assertRegex(out, r"(?m)^starvation +1 +1$")
        self.assertRegex(out, r"(?m)^  pids +\S.* +1 +1$")
        self.assertRegex(out, r"(?m)^\d+ attacks tried, \d+ held\.$")
        self.assertRegex(out, r"\A[\n\x20-\x7e]*\Z")

    def test_progress_on_a_terminal_only(self):
        ours, theirs = pty.openpty()
        p = subprocess.Popen([SANDBOX, "selftest", "signals"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        said = b""
        try:
            while piece := os.read(ours, 1000):
                said += piece
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        self.assertEqual(p.wait(PATIENCE_S), 0)
        self.assertIn(b"0 of 1: theft/signals", said)


class NotHeld(Case):
    def test_what_gets_through_is_reported(self):
        folder = self.attacks(
            good=("layer=userns why=does nothing", "echo held"),
            liar=("layer=userns,pidns why=says so", "echo 'ESCAPED: \033[31mfree'; exit 66"),
            silent=("layer=userns why=has another status", "exit 3"),
            mute=("layer=userns why=does not say that it was held", ":"),
            broken=("layer=userns why=could not try", "echo BROKEN: no; exit 67"),
            reader=("layer=root mount=secret why=reads what it was given", "cat /data/canary; echo held"),
            setid=("layer=copy_out copyout=out why=wants to be copied", "ln -s /etc/passwd out; echo held"),
            writer=("layer=readonly mount=secret why=tries to write", "echo x 2>/dev/null >/data/canary; echo held"),
        )
        status, out, _ = selftest("--json", "--attacks", folder)
        found = {a["name"]: a for a in json.loads(out)["attacks"]}
        self.assertEqual(status, 1)
        held = {name for name, a in found.items() if a["outcome"] == "held"}
        self.assertEqual(held, {"own/good", "own/writer", "own/setid"}, found)
        for name, expected in (("liar", "ESCAPED: "), ("silent", "exited:3, expected exited:0"), ("mute", "without having said"),
                               ("broken", "BROKEN: no"), ("reader", "secret was read")):
            self.assertIn(expected, found[f"own/{name}"]["detail"])
        status, out, _ = selftest("--attacks", folder)
        self.assertEqual(status, 1)
        self.assertRegex(out, r"NOT HELD:\n")
        self.assertIn("\\x1b[31mfree", out)
        self.assertIn("8 attacks tried, 3 held.", out)
        self.assertRegex(out, r"(?m)^  pidns +1 +0$")
        self.assertRegex(out, r"\A[\n\x20-\x7e]*\Z")
        self.assertEqual(selftest("--attacks", folder, "good")[0], 0)


class Refused(Case):
    def test_bad_command_lines(self):
        for argv, expected in ((["--jobs", "0"], "expected a number"), (["--jobs"], "needs a value"), (["--jbs"], "is no option"),
                               (["--jobs", "x"], "expected a number"), (["--attacks"], "needs a value")):
            status, out, err = selftest(*argv)
            self.assertEqual((status, out), (2, ""), argv)
            self.assertIn(expected, err)

    def test_nothing_to_try(self):
        empty = tempfile.mkdtemp(prefix="gavel-own-")
        self.addCleanup(shutil.rmtree, empty)
        for argv, expected in ((["no_such"], "'no_such': no attack, group or layer"), (["--attacks", "/nowhere"], "/nowhere"),
                               (["--attacks", empty], "list")):
            status, out, err = selftest(*argv)
            self.assertEqual((status, out), (1, ""), argv)
            self.assertIn(expected, err)
        for line in ("own/a.c expect=exited:0 why=x\n", "nothing\n", "own expect=e layer=l why=w\n", "\n"):
            with open(os.path.join(empty, "list"), "w", encoding="utf-8") as f:
                f.write(line)
            status, out, err = selftest("--attacks", empty)
            self.assertEqual((status, out), (1, ""), line)
            self.assertRegex(err, "list: (expected|no attack)")

    def test_help(self):
        status, out, err = selftest("--help")
        self.assertEqual((status, err), (0, ""))
        self.assertTrue(out.startswith("usage: sandbox selftest"))

    def test_stopped(self):
        before = traces()
        folder = self.attacks(slow=("layer=wall_time wall=50s why=sleeps", "sleep 40"))
        p = subprocess.Popen([SANDBOX, "selftest", "--attacks", folder], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        ends = time.monotonic() + 60
        while traces()[0] == before[0] and time.monotonic() < ends:
            time.sleep(0.05)
        time.sleep(0.5)
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=60)
        self.assertEqual((p.returncode, out), (1, ""))
        self.assertIn("stopped by a signal", err)
        self.assertEqual(traces()[0] - before[0], set())

    def test_reader_goes_away(self):
        before = traces()
        p = subprocess.Popen([SANDBOX, "selftest", "--verbose", "--jobs", "1", "environment", "fork_bomb", "signals"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        p.stdout.close()
        err = p.stderr.read()
        p.stderr.close()
        self.assertEqual(p.wait(PATIENCE_S), 1)
        self.assertIn(b"stopped by a signal", err)
        self.assertEqual(traces()[0] - before[0], set())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[1:])
